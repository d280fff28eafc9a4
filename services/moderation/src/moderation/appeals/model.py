"""A member's appeal against their sanction, and the links by which they can appeal without an account. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, Self

from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Screened, Verdict
from huiqun.privacy.links import LinkGrant, LinkPurpose, SignedLinks
from moderation.archive.model import MessageRef
from moderation.notices.model import Offence
from moderation.policies.sections.review import ReviewRule
from moderation.sanctions.model import AppealLink
from moderation.standings.model import Standing, Strike

APPEAL_LINK_PURPOSE: Final = LinkPurpose(
    "huiqun/moderation/appeal", "/api/v1/appeals/{token}", ("group", "member", "sanction")
)
_LINK_LIFETIME: Final = timedelta(days=7)


class NothingToAppealError(LookupError):
    """The sanction has been taken back, or is so old that it counts no longer."""


class AppealedError(RuntimeError):
    """There is an appeal against this sanction already; `decided` says whether a person has looked at it."""

    def __init__(self, sanction_id: str, *, decided: bool) -> None:
        super().__init__(sanction_id)
        self.decided = decided


@dataclass(frozen=True, slots=True)
class Appeal:
    """A member asks that a person looks at their sanction again; `note` is masked, `cause` is the message."""

    standing: Standing
    strike: Strike
    note: str
    rule: ReviewRule
    cause: Event | None = None

    @property
    def ref(self) -> MessageRef:
        """The message that was sanctioned."""
        return MessageRef(self.strike.message_id, self.standing.group_id)

    @property
    def message_substitute(self) -> Screened:
        """What stands for a message that the archive keeps no longer: the sanction does, and can be appealed."""
        return Screened(
            message_id=self.strike.message_id,
            group_id=self.standing.group_id,
            member_id=self.standing.member_id,
            role=Role.CUSTOMER,
            verdict=Verdict.BLOCK,
            policy_version="",
            lexicon_version="",
            masked_text="",
            sent_at=self.strike.at,
        )


@dataclass(frozen=True, slots=True)
class AppealGrant:
    """What a signed link lets its holder do: appeal against one sanction."""

    group_id: str
    member_id: str
    sanction_id: str

    @classmethod
    def from_link(cls, grant: LinkGrant) -> Self:
        """What a link grants."""
        return cls(grant.claims["group"], grant.claims["member"], grant.claims["sanction"])

    @property
    def claims(self) -> Mapping[str, str]:
        """The same as a link says it: by "group", "member" and "sanction"."""
        return {"group": self.group_id, "member": self.member_id, "sanction": self.sanction_id}


def appeal_link_maker(links: SignedLinks) -> AppealLink | None:
    """What makes the address for the sanction on an offence; None where nobody could open one."""
    return partial(_appeal_address, links) if links.has_public_url else None


def find_appealable_strike(standing: Standing, message_id: str | None) -> Strike | None:
    """The offence whose sanction a member means: the one in the message that they answer or quote, or else the last.

    None for a member without sanctions.
    """
    sanctioned = [strike for strike in standing.strikes if strike.sanction_id is not None]
    meant = [strike for strike in sanctioned if strike.message_id == message_id]
    return next(reversed(meant or sanctioned), None)


def _appeal_address(links: SignedLinks, offence: Offence, sanction_id: str) -> str:
    claims = AppealGrant(offence.group_id, offence.member_id, sanction_id).claims
    return links.create_url(APPEAL_LINK_PURPOSE, claims, offence.at + _LINK_LIFETIME)

"""The links by which a sanctioned member can appeal without an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, Self

from huiqun.privacy.links import LinkGrant, LinkPurpose, SignedLinks
from moderation.enforcement.model import AppealLink, Offence

APPEAL: Final = LinkPurpose("huiqun/moderation/appeal", "/api/v1/appeals/{token}", ("group", "member", "sanction"))
_VALID_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AppealGrant:
    """What such a link lets its holder do: appeal against one sanction."""

    group_id: str
    member_id: str
    sanction_id: str

    @classmethod
    def from_link(cls, grant: LinkGrant) -> Self:
        """What a link grants."""
        return cls(grant.claims["group"], grant.claims["member"], grant.claims["sanction"])

    @property
    def claims(self) -> Mapping[str, str]:
        """The same as a link says it."""
        return {"group": self.group_id, "member": self.member_id, "sanction": self.sanction_id}


def appeal_link_maker(links: SignedLinks) -> AppealLink | None:
    """What makes the address for the sanction on an offence; None where nobody could open one."""
    return partial(_address, links) if links.has_public_url else None


def _address(links: SignedLinks, offence: Offence, sanction_id: str) -> str:
    claims = AppealGrant(offence.group_id, offence.member_id, sanction_id).claims
    return links.create_url(APPEAL, claims, offence.at + _VALID_FOR)

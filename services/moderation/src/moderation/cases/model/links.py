"""Signed links by which a sanctioned member can appeal without an account: what they hold, made and checked. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from huiqun.privacy.links import BadLinkError, ExpiredLinkError, LinkSigner
from moderation.enforcement.model import AppealLink, Offence

_PURPOSE = "huiqun/moderation/appeal"
_VALID_FOR = timedelta(days=7)


class InvalidLinkError(ValueError):
    """The link was not made by us, was changed, or is too old."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link lets its holder do: appeal against one sanction, until it expires."""

    group_id: str
    member_id: str
    sanction_id: str
    expires_at: datetime


class AppealLinks:
    """Makes and reads links under a key; `base` is the address at which members reach this service."""

    def __init__(self, key: bytes, base: str | None = None) -> None:
        self._signer = LinkSigner.under(key, _PURPOSE)
        self._base = (base or "").rstrip("/")

    @property
    def maker(self) -> AppealLink | None:
        """What makes links; None without an address, since nobody could open one."""
        return self.for_offence if self._base else None

    def for_offence(self, offence: Offence, sanction_id: str) -> str:
        """The address for the sanction on an offence."""
        token = self.token(Grant(offence.group_id, offence.member_id, sanction_id, offence.at + _VALID_FOR))
        return f"{self._base}/api/v1/appeals/{token}"

    def token(self, grant: Grant) -> str:
        """Write a grant as text that fits into an address."""
        claims = {"group": grant.group_id, "member": grant.member_id, "sanction": grant.sanction_id}
        return self._signer.sign(claims, grant.expires_at)

    def read(self, token: str, now: datetime) -> Grant:
        """The grant in a token; raises InvalidLinkError."""
        try:
            claims, expires_at = self._signer.read(token, ("group", "member", "sanction"), now)
        except (BadLinkError, ExpiredLinkError) as error:
            raise InvalidLinkError(str(error)) from error
        return Grant(claims["group"], claims["member"], claims["sanction"], expires_at)

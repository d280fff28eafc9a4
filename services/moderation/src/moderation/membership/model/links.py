"""Signed links: by them a member agrees to the rules without any account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from huiqun.privacy.links import LinkSigner

PATH: Final = "/consent"
_PURPOSE = "huiqun/moderation/consent"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a link was made for."""

    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads the links of this service. Without a public address nobody could open one: none is made."""

    signer: LinkSigner
    public_url: str | None = None

    @classmethod
    def under(cls, secret: str, public_url: str | None) -> Self:
        """Links signed with a key of their own, derived from the secret of the service."""
        return cls(LinkSigner.under(secret.encode(), _PURPOSE), public_url)

    def to(self, holder: Holder, expires_at: datetime) -> str | None:
        """The address of the holder's own page."""
        if self.public_url is None:
            return None
        return f"{self.public_url.rstrip('/')}{PATH}?token={sign(self.signer, holder, expires_at)}"


def sign(signer: LinkSigner, holder: Holder, expires_at: datetime) -> str:
    """A token for the holder that is good until `expires_at`."""
    return signer.sign({"member": holder.member_id, "group": holder.group_id}, expires_at)


def read(signer: LinkSigner, token: str, now: datetime) -> Holder:
    """Whom the token is for; raises BadLinkError, ExpiredLinkError."""
    claims, _ = signer.read(token, ("member", "group"), now)
    return Holder(claims["group"], claims["member"])

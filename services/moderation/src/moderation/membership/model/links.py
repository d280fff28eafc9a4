"""Signed links: by them a member agrees to the rules without any account."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import jwt

PATH: Final = "/consent"
_ALGORITHM = "HS256"
_PURPOSE = "huiqun/moderation/consent"


class BadLinkError(ValueError):
    """The link was not made here, or somebody has changed it."""


class ExpiredLinkError(ValueError):
    """The link is too old."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a link was made for."""

    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads the links of this service. Without a public address nobody could open one: none is made."""

    key: bytes
    public_url: str | None = None

    @classmethod
    def under(cls, secret: str, public_url: str | None) -> Self:
        """Links signed with a key of their own, derived from the secret of the service."""
        return cls(hmac.digest(secret.encode(), _PURPOSE.encode(), hashlib.sha256), public_url)

    def to(self, holder: Holder, expires_at: datetime) -> str | None:
        """The address of the holder's own page."""
        if self.public_url is None:
            return None
        return f"{self.public_url.rstrip('/')}{PATH}?token={sign(self.key, holder, expires_at)}"


def sign(key: bytes, holder: Holder, expires_at: datetime) -> str:
    """A token for the holder that is good until `expires_at`."""
    claims = {"aud": _PURPOSE, "sub": holder.member_id, "group": holder.group_id, "exp": int(expires_at.timestamp())}
    return jwt.encode(claims, key, _ALGORITHM)


def read(key: bytes, token: str, now: datetime) -> Holder:
    """Whom the token is for; raises BadLinkError, ExpiredLinkError."""
    try:
        claims = jwt.decode(
            token,
            key,
            [_ALGORITHM],
            audience=_PURPOSE,
            # The age is judged below, by the clock that is passed in.
            options={"require": ["aud", "sub", "exp", "group"], "verify_exp": False},
        )
        holder, expires_at = Holder(str(claims["group"]), str(claims["sub"])), int(claims["exp"])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise BadLinkError(type(error).__name__) from error
    if expires_at <= now.timestamp():
        raise ExpiredLinkError
    return holder

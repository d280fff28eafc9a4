"""Signed links, by which a member does one thing without an account: what they claim, for which purpose, how long."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import jwt

_ALGORITHM = "HS256"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_MAX_LENGTH = 1_024


class BadLinkError(ValueError):
    """The link was not made here for this purpose, or somebody has changed it."""


class ExpiredLinkError(ValueError):
    """The link is too old."""


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Signs and reads the tokens of one purpose; those of another never pass."""

    key: bytes
    purpose: str

    @classmethod
    def under(cls, secret: bytes, purpose: str) -> Self:
        """A signer with a key of its own, derived from the secret of the service."""
        return cls(hmac.digest(secret, purpose.encode(), hashlib.sha256), purpose)

    def sign(self, claims: Mapping[str, str], expires_at: datetime) -> str:
        """A token with these claims that is good until `expires_at`; fits into an address."""
        return jwt.encode({**claims, "aud": self.purpose, "exp": int(expires_at.timestamp())}, self.key, _ALGORITHM)

    def read(self, token: str, claims: Collection[str], now: datetime) -> tuple[dict[str, str], datetime]:
        """The claims of these names and when they expire; raises BadLinkError, ExpiredLinkError."""
        try:
            found = jwt.decode(
                token[:_MAX_LENGTH],
                self.key,
                [_ALGORITHM],
                audience=self.purpose,
                # The age is judged below, by the clock that is passed in.
                options={"require": ["aud", "exp", *claims], "verify_exp": False, "verify_sub": False},
            )
            expires_at = datetime.fromtimestamp(int(found["exp"]), now.tzinfo)
        except (jwt.InvalidTokenError, ValueError, OverflowError) as error:
            raise BadLinkError(type(error).__name__) from error
        if expires_at <= now:
            raise ExpiredLinkError("too old")
        return {name: str(found[name]) for name in claims}, expires_at


def without_tokens(text: str) -> str:
    """A text whose links nobody can use any more: whoever reads what a member was sent is not that member."""
    return _TOKEN.sub("…", text)

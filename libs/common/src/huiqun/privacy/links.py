"""Signed links, by which a member does one thing without an account: what they claim, for which purpose, how long."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jwt

from huiqun.privacy.keys import RotatingKey

_ALGORITHM: Final = "HS256"
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_MAX_TOKEN: Final = 1_024


class InvalidLinkError(ValueError):
    """The link was not made here for this purpose, or somebody has changed it."""


class ExpiredLinkError(ValueError):
    """The link is too old."""


@dataclass(frozen=True, slots=True)
class LinkPurpose:
    """What a link is for. A link of another purpose never passes, as each has a key of its own.

    `name` is unique among all services: "huiqun/moderation/appeal". `path` is where the link leads, with `{token}` in
    it. `claims` are the names of what it says of its holder.
    """

    name: str
    path: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkGrant:
    """What a link says of its holder, by the names of its purpose's claims, and how long it is good."""

    claims: Mapping[str, str]
    expires_at: datetime


class NoPublicAddressError(RuntimeError):
    """Members cannot reach this service: HUIQUN_PUBLIC_URL is not set."""


class SignedLinks:
    """Makes and reads the links of a service; `public_url` is the address at which members reach it, if they can."""

    def __init__(self, key: RotatingKey, public_url: str | None) -> None:
        """`key` is for links alone: each purpose's own is derived from it."""
        self._key = key
        self._public_url = public_url.rstrip("/") if public_url else None

    @property
    def has_public_url(self) -> bool:
        """Whether members reach the service at all: else no link is worth sending."""
        return self._public_url is not None

    def create_url(self, purpose: LinkPurpose, claims: Mapping[str, str], expires_at: datetime) -> str:
        """The address of a page of its holder's own, good until `expires_at`; NoPublicAddressError."""
        if self._public_url is None:
            raise NoPublicAddressError(purpose.name)
        return self._public_url + purpose.path.format(token=self.create_token(purpose, claims, expires_at))

    def create_token(self, purpose: LinkPurpose, claims: Mapping[str, str], expires_at: datetime) -> str:
        """What makes a link its holder's: letters, digits, dots, hyphens and underscores."""
        payload = {**claims, "aud": purpose.name, "exp": int(expires_at.timestamp())}
        return jwt.encode(payload, _derived(self._key.current, purpose), _ALGORITHM)

    def verify_token(self, purpose: LinkPurpose, token: str, now: datetime) -> LinkGrant:
        """What a token grants; raises InvalidLinkError, ExpiredLinkError."""
        found = self._verified(purpose, token)
        try:
            expires_at = datetime.fromtimestamp(int(found["exp"]), now.tzinfo)
        except (ValueError, OverflowError) as error:
            raise InvalidLinkError(type(error).__name__) from error
        if expires_at <= now:
            raise ExpiredLinkError("too old")
        return LinkGrant({name: str(found[name]) for name in purpose.claims}, expires_at)

    def _verified(self, purpose: LinkPurpose, token: str) -> Mapping[str, Any]:
        # The age is judged by the clock that is passed in.
        options: Any = {"require": ["aud", "exp", *purpose.claims], "verify_exp": False, "verify_sub": False}
        refused = "none of our keys"
        for key in self._key.accepted_keys:
            derived = _derived(key, purpose)
            try:
                return jwt.decode(token[:_MAX_TOKEN], derived, [_ALGORITHM], audience=purpose.name, options=options)
            except (jwt.InvalidTokenError, ValueError) as error:
                refused = type(error).__name__
        raise InvalidLinkError(refused)


def _derived(key: bytes, purpose: LinkPurpose) -> bytes:
    return hmac.digest(key, purpose.name.encode(), hashlib.sha256)


def redact_link_tokens(text: str) -> str:
    """A text whose links nobody can use any more: whoever reads what a member was sent is not that member."""
    return _TOKEN.sub("…", text)

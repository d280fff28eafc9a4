"""Signed links by which a sanctioned member can appeal without an account: what they hold, made and checked. Pure."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from moderation.enforcement.model import Offence

_VALID_FOR = timedelta(days=7)
_MAC_BYTES = 32
_MAX_LENGTH = 1_024


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
        # Its own key: what is signed here must never pass for a hash of personal data, nor the other way round.
        self._key = hmac.digest(key, b"huiqun/appeal-link", hashlib.sha256)
        self._base = (base or "").rstrip("/")

    def for_offence(self, offence: Offence, sanction_id: str) -> str:
        """The address for the sanction on an offence."""
        token = self.token(Grant(offence.group_id, offence.member_id, sanction_id, offence.at + _VALID_FOR))
        return f"{self._base}/api/v1/appeals/{token}"

    def token(self, grant: Grant) -> str:
        """Write a grant as text that fits into an address."""
        expires = int(grant.expires_at.timestamp())
        content = orjson.dumps([grant.group_id, grant.member_id, grant.sanction_id, expires])
        return base64.urlsafe_b64encode(self._sign(content) + content).decode().rstrip("=")

    def read(self, token: str, now: datetime) -> Grant:
        """The grant in a token; raises InvalidLinkError."""
        try:
            padded = token[:_MAX_LENGTH] + "=" * (-len(token) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidLinkError("not a link of ours") from error
        signature, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(signature, self._sign(content)):
            raise InvalidLinkError("not a link of ours")
        group_id, member_id, sanction_id, expires = orjson.loads(content)
        grant = Grant(group_id, member_id, sanction_id, datetime.fromtimestamp(expires, UTC))
        if grant.expires_at <= now:
            raise InvalidLinkError("too old")
        return grant

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)

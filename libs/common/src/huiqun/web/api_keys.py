"""API keys: made once, shown once, stored as a hash."""

import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from huiqun.store import Database, Index, OutsideTransaction
from huiqun.web.principals import ROLES, Principal, Role, known_roles
from huiqun.work import Work

API_KEYS: Final = "api_keys"
API_KEY_INDEXES: Final = {API_KEYS: [Index((("name", 1),))]}
API_KEY_PREFIX: Final = "hq_"
# Compared with when the id is unknown, so that the answer takes as long as for a wrong secret.
_NO_HASH: Final = bytes(32)


async def create_api_key(
    database: Work | OutsideTransaction, name: str, roles: Iterable[Role], *, expires_at: datetime | None = None
) -> str:
    """Make a key "hq_<id>_<secret>" and return it; it cannot be read again.

    The secret has 256 random bits, so a plain SHA-256 is as good as a slow hash and costs a request nothing.
    """
    granted = sorted(set(roles))
    if unknown := set(granted) - ROLES:
        raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    await database.collection(API_KEYS).insert_one(
        {
            "_id": key_id,
            "name": name,
            "roles": granted,
            "hash": sha256(secret.encode()).digest(),
            "created_at": datetime.now(UTC),
            "expires_at": expires_at,
            "revoked_at": None,
        }
    )
    return f"{API_KEY_PREFIX}{key_id}_{secret}"


def api_key_id_of(api_key: str) -> str:
    """What a key is called where it is spoken of, such as in the audit log: the part that is no secret."""
    return api_key.removeprefix(API_KEY_PREFIX).partition("_")[0]


async def revoke_api_key(database: Work | OutsideTransaction, key_id: str) -> bool:
    """Refuse the key from now on; False if there is no such key or it was revoked before."""
    change = {"$set": {"revoked_at": datetime.now(UTC)}}
    result = await database.collection(API_KEYS).update_one({"_id": key_id, "revoked_at": None}, change)
    return bool(result.modified_count)


async def list_api_keys(db: Database) -> list[dict[str, Any]]:
    """The keys in the order in which they were made, without their hashes."""
    return [document async for document in db[API_KEYS].find({}, {"hash": 0}).sort("created_at", 1)]


async def find_principal(db: Database, api_key: str) -> Principal | None:
    """Return whose key it is; None if it is malformed, unknown, wrong, expired or revoked."""
    key_id, _, secret = api_key.removeprefix(API_KEY_PREFIX).partition("_")
    if not api_key.startswith(API_KEY_PREFIX) or not key_id or not secret or not api_key.isascii():
        return None
    stored = await db[API_KEYS].find_one({"_id": key_id})
    expected = bytes(stored["hash"]) if stored else _NO_HASH
    if not hmac.compare_digest(sha256(secret.encode()).digest(), expected) or stored is None:
        return None
    expires_at: datetime | None = stored["expires_at"]
    if stored["revoked_at"] is not None or (expires_at is not None and expires_at <= datetime.now(UTC)):
        return None
    return Principal(f"key:{key_id}", stored["name"], known_roles(stored["roles"]))

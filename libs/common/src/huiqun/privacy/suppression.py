"""The accounts whose data has been erased, as keyed hashes: what others tell of them does not bring it back.

Nobody's id stands here, so the list itself need not be erased. It is kept without end: a synchronisation may tell of
somebody after years. Without the key it was written under, it finds nobody.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from huiqun.contracts.fields import Account
from huiqun.privacy.masking import keyed_hash
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work

SUPPRESSED: Final = "suppressed_accounts"
SUPPRESSION_INDEXES: Mapping[str, Sequence[Index]] = {SUPPRESSED: ()}
_PURPOSE: Final = b"suppressed accounts"


class SuppressionList:
    """Adds accounts to the list, and finds those that are on it."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is the service's key of hashes; the list has one of its own that is derived from it."""
        self._key = hmac.digest(secret, _PURPOSE, hashlib.sha256)

    def hash_account(self, account: Account) -> str:
        """What stands for an account on the list."""
        return keyed_hash(f"{account.member_id}/{account.channel}", self._key)  # an id holds no slash

    async def suppress_accounts(self, work: Work, accounts: Collection[Account], erased_at: datetime) -> None:
        """Put accounts on the list; of several erasures the latest counts."""
        operations = [
            UpdateOne({"_id": self.hash_account(each)}, {"$max": {"erased_at": erased_at}}, upsert=True)
            for each in accounts
        ]
        if operations:
            await work.collection(SUPPRESSED).bulk_write(operations, ordered=False)

    async def find_suppressed(self, reader: Reader, accounts: Iterable[Account]) -> dict[Account, datetime]:
        """When the data was erased of those of the accounts that are on the list, in one read."""
        wanted = {self.hash_account(account): account for account in accounts}
        if not wanted:
            return {}
        cursor = reader.collection(SUPPRESSED).find({"_id": {"$in": list(wanted)}})
        return {wanted[document["_id"]]: document["erased_at"] for document in await cursor.to_list(None)}

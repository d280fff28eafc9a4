"""Append to the audit log, in the transaction of what is audited."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from huiqun.audit.chain import AuditEntry, ChainHead, seal_entries
from huiqun.store import (
    BulkWriteError,
    DuplicateKey,
    Index,
    Reader,
    StoreError,
    WriteConflictError,
    is_write_conflict,
)
from huiqun.work import Work

AUDIT_LOG: Final = "audit_log"
AUDIT_HEAD: Final = "audit_head"
AUDIT_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    # The number of an entry is its _id: unique, and in order.
    AUDIT_LOG: [Index((("subject", 1), ("_id", -1))), Index((("actor", 1), ("_id", -1)))],
    AUDIT_HEAD: [],
}
# About as long as another process takes from its entry to its commit.
_OTHERS_SECONDS: Final = 0.015


async def append_audit_entry(work: Work, entry: AuditEntry) -> int:
    """Add one entry; returns its number."""
    return await append_audit_entries(work, [entry])


async def append_audit_entries(work: Work, entries: Sequence[AuditEntry]) -> int:
    """Add the entries in their order with a new head; returns the last one's number.

    The head before is read as it is now and not as it was when the transaction began, and nothing that others have
    written is changed: so a transaction may append however long ago it began. Those of this process take turns from
    here to their end; of two processes that append at the same time one conflicts on the number, and runs again.
    """
    own = await find_chain_head(work)
    if not entries:
        return own.seq
    await work.take_turn()
    head = max(own, await find_chain_head(work.outside_transaction()), key=lambda each: each.seq)
    sealed: list[dict[str, Any]] = list(seal_entries(head, entries, work.now))
    last = sealed[-1]
    try:
        await work.collection(AUDIT_LOG).insert_many(sealed)
        await work.collection(AUDIT_HEAD).insert_one({"_id": last["_id"], "seq": last["_id"], "hash": last["hash"]})
    except (BulkWriteError, DuplicateKey) as error:
        await _let_others_pass()
        if is_write_conflict(error) or (await find_chain_head(work.outside_transaction())).seq != head.seq:
            raise WriteConflictError(str(error)) from error
        raise  # an entry stands behind the head: verification says so
    except StoreError as error:
        if is_write_conflict(error):
            await _let_others_pass()
        raise
    work.cleanups.append(lambda outside: outside.collection(AUDIT_HEAD).delete_many({"seq": {"$lt": last["_id"]}}))
    return int(last["_id"])


async def find_chain_head(reader: Reader) -> ChainHead:
    """Return the end of the chain as the log itself knows it: of several heads that of the highest number."""
    stored = await reader.collection(AUDIT_HEAD).find_one({}, sort=[("seq", -1)])
    return ChainHead(int(stored["seq"]), str(stored["hash"])) if stored else ChainHead()


async def _let_others_pass() -> None:
    """Keep the turn while another process commits: who comes next would only meet the same conflict."""
    await asyncio.sleep(random.uniform(0.2, 1.0) * _OTHERS_SECONDS)  # noqa: S311 - jitter


async def list_audit_entries(
    reader: Reader, *, subject: str | None = None, actor: str | None = None, before: int | None = None, limit: int
) -> list[dict[str, Any]]:
    """The entries about a subject, by an actor, or all of them; newest first, before the given number."""
    query: dict[str, Any] = {}
    if subject is not None:
        query["subject"] = subject
    if actor is not None:
        query["actor"] = actor
    if before is not None:
        query["_id"] = {"$lt": before}
    return [document async for document in reader.collection(AUDIT_LOG).find(query).sort("_id", -1).limit(limit)]

"""Append to the audit log, in the transaction of what is audited."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from huiqun.audit.chain import AuditEntry, Head, seal
from huiqun.store import Database, Index, Session
from huiqun.stream import Work

LOG: Final = "audit_log"
HEAD: Final = "audit_head"
AUDIT_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    # The number of an entry is its _id: unique, and in order.
    LOG: [Index((("subject", 1), ("_id", -1))), Index((("actor", 1), ("_id", -1)))],
    HEAD: [],
}
_HEAD_ID: Final = "head"


async def append(work: Work, entry: AuditEntry) -> int:
    """Add one entry; returns its number."""
    return await append_all(work, [entry])


async def append_all(work: Work, entries: Sequence[AuditEntry]) -> int:
    """Add the entries in their order with one move of the head; returns the last one's number.

    Whoever else appends at the same time conflicts on the head, and one of the two transactions is run again.
    """
    head = await read_head(work.db, work.session)
    if not entries:
        return head.seq
    sealed: list[dict[str, Any]] = list(seal(head, entries, work.now))
    last = sealed[-1]
    moved = {"$set": {"seq": last["_id"], "hash": last["hash"]}}
    await work.db[HEAD].update_one({"_id": _HEAD_ID}, moved, upsert=True, session=work.session)
    await work.db[LOG].insert_many(sealed, session=work.session)
    return int(last["_id"])


async def read_head(db: Database, session: Session | None = None) -> Head:
    """Return the end of the chain as the log itself knows it."""
    stored = await db[HEAD].find_one({"_id": _HEAD_ID}, session=session)
    return Head(int(stored["seq"]), str(stored["hash"])) if stored else Head()


async def entries(
    db: Database, *, subject: str | None = None, actor: str | None = None, before: int | None = None, limit: int
) -> list[dict[str, Any]]:
    """The entries about a subject, by an actor, or all of them; newest first, before the given number."""
    query: dict[str, Any] = {}
    if subject is not None:
        query["subject"] = subject
    if actor is not None:
        query["actor"] = actor
    if before is not None:
        query["_id"] = {"$lt": before}
    return [document async for document in db[LOG].find(query).sort("_id", -1).limit(limit)]

"""The timers in MongoDB: written in the transaction that needs them, leased when due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from huiqun.store import Database, DeleteMany, Index, ReplaceOne, Session
from huiqun.timers.model import Timer

TIMERS = "timers"
TIMER_INDEXES: Mapping[str, Sequence[Index]] = {TIMERS: (Index((("state", 1), ("due", 1))),)}


async def write(database: Database, session: Session, scheduled: Sequence[Timer], cancelled: Sequence[str]) -> None:
    """Keep the scheduled timers and drop the cancelled ones, in the caller's transaction."""
    operations: list[Any] = [ReplaceOne({"_id": timer.key}, _document(timer), upsert=True) for timer in scheduled]
    if cancelled:
        operations.insert(0, DeleteMany({"_id": {"$in": list(cancelled)}}))
    if operations:
        await database[TIMERS].bulk_write(operations, ordered=True, session=session)


async def lease(database: Database, now: datetime, until: datetime, holder: str) -> Timer | None:
    """The timer that has been due longest and that nobody else works on, held for `holder` until `until`."""
    free = [{"leased_until": None}, {"leased_until": {"$lt": now}}, {"holder": holder}]
    found = await database[TIMERS].find_one_and_update(
        {"state": "waiting", "due": {"$lte": now}, "$or": free},
        {"$set": {"leased_until": until, "holder": holder}},
        sort=[("due", 1)],
        return_document=True,
    )
    return _timer(found) if found else None


async def finish(database: Database, session: Session, timer: Timer, holder: str) -> bool:
    """Remove a leased timer in its own transaction; False when it was moved, cancelled or done meanwhile."""
    result = await database[TIMERS].delete_one({"_id": timer.key, "holder": holder, "due": timer.due}, session=session)
    return bool(result.deleted_count)


async def postpone(database: Database, timer: Timer, holder: str, due: datetime, error: str) -> None:
    """Try a failed timer again at `due`."""
    await database[TIMERS].update_one(
        {"_id": timer.key, "holder": holder, "due": timer.due},
        {"$set": {"due": due, "leased_until": None, "error": error}, "$inc": {"attempts": 1}},
    )


async def give_up(database: Database, timer: Timer, holder: str, error: str) -> None:
    """Keep a timer that failed too often, where an operator sees it, and run it no more."""
    await database[TIMERS].update_one(
        {"_id": timer.key, "holder": holder, "due": timer.due},
        {"$set": {"state": "failed", "leased_until": None, "error": error}, "$inc": {"attempts": 1}},
    )


def _document(timer: Timer) -> dict[str, Any]:
    return {
        "_id": timer.key,
        "kind": timer.kind,
        "due": timer.due,
        "payload": dict(timer.payload),
        "attempts": 0,
        "state": "waiting",
        "leased_until": None,
    }


def _timer(document: Mapping[str, Any]) -> Timer:
    return Timer(
        document["_id"], document["kind"], document["due"], document.get("payload") or {}, document.get("attempts", 0)
    )

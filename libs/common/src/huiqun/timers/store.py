"""The timers in MongoDB: written in the transaction that needs them, leased when due.

A lease is a document of its own: a timer's is locked by the transaction that runs it, and could not be leased anew.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.store import Database, DeleteMany, DuplicateKey, Index, ReplaceOne, Session
from huiqun.timers.model import Timer

TIMERS = "timers"
LEASES = "timer_leases"
TIMER_INDEXES: Mapping[str, Sequence[Index]] = {
    TIMERS: (Index((("state", 1), ("due", 1))),),
    # One that has run out is void; what a dead process has left of them goes after a day.
    LEASES: (Index((("until", 1),), expires_after=timedelta(days=1)),),
}
# Of several replicas that look at once, each but one loses each of the first timers to another.
_LOOKED_AT: Final = 20


async def write(database: Database, session: Session, scheduled: Sequence[Timer], cancelled: Sequence[str]) -> None:
    """Keep the scheduled timers and drop the cancelled ones, in the caller's transaction."""
    operations: list[Any] = [ReplaceOne({"_id": timer.key}, _document(timer), upsert=True) for timer in scheduled]
    if cancelled:
        operations.insert(0, DeleteMany({"_id": {"$in": list(cancelled)}}))
    if operations:
        await database[TIMERS].bulk_write(operations, ordered=True, session=session)


async def lease(database: Database, now: datetime, until: datetime, holder: str) -> Timer | None:
    """The timer that has been due longest and that nobody else works on, held for `holder` until `until`."""
    others = database[LEASES].find({"until": {"$gte": now}, "holder": {"$ne": holder}}, {"_id": 1})
    query = {"state": "waiting", "due": {"$lte": now}, "_id": {"$nin": [held["_id"] async for held in others]}}
    async for document in database[TIMERS].find(query).sort("due", 1).limit(_LOOKED_AT):
        if await _take(database, document["_id"], now, until, holder):
            return _timer(document)
    return None


async def renew(database: Database, timer: Timer, until: datetime, holder: str) -> bool:
    """Hold a timer until `until`, as its handler still runs; False when the lease is another's."""
    renewed = await database[LEASES].update_one({"_id": timer.key, "holder": holder}, {"$set": {"until": until}})
    return bool(renewed.matched_count)


async def release(database: Database, timer: Timer, holder: str) -> None:
    """Give the lease up."""
    await database[LEASES].delete_one({"_id": timer.key, "holder": holder})


async def finish(database: Database, session: Session, timer: Timer, holder: str) -> bool:
    """Remove a leased timer in its own transaction; False when it was moved, cancelled, done or leased by another.

    Should two believe that they hold it, both remove the same document, and one of the transactions fails.
    """
    if await database[LEASES].find_one({"_id": timer.key, "holder": holder}, session=session) is None:
        return False
    result = await database[TIMERS].delete_one({"_id": timer.key, "due": timer.due}, session=session)
    return bool(result.deleted_count)


async def postpone(database: Database, timer: Timer, due: datetime, error: str) -> None:
    """Try a failed timer again at `due`."""
    change = {"$set": {"due": due, "error": error}, "$inc": {"attempts": 1}}
    await database[TIMERS].update_one(_as_tried(timer), change)


async def give_up(database: Database, timer: Timer, error: str) -> None:
    """Keep a timer that failed too often, where an operator sees it, and run it no more."""
    change = {"$set": {"state": "failed", "error": error}, "$inc": {"attempts": 1}}
    await database[TIMERS].update_one(_as_tried(timer), change)


async def _take(database: Database, key: str, now: datetime, until: datetime, holder: str) -> bool:
    free = {"_id": key, "$or": [{"until": {"$lt": now}}, {"holder": holder}]}
    try:
        await database[LEASES].update_one(free, {"$set": {"until": until, "holder": holder}}, upsert=True)
    except DuplicateKey:  # somebody else has just taken it
        return False
    return True


def _as_tried(timer: Timer) -> dict[str, Any]:
    """The timer, unless it was moved or tried by somebody else meanwhile."""
    return {"_id": timer.key, "due": timer.due, "attempts": timer.attempts}


def _document(timer: Timer) -> dict[str, Any]:
    return {
        "_id": timer.key,
        "kind": timer.kind,
        "due": timer.due,
        "payload": dict(timer.payload),
        "attempts": 0,
        "state": "waiting",
    }


def _timer(document: Mapping[str, Any]) -> Timer:
    return Timer(
        document["_id"], document["kind"], document["due"], document.get("payload") or {}, document.get("attempts", 0)
    )

"""The tasks in MongoDB: written in a transaction, leased when due, kept for an operator when failed.

A lease is a document of its own: a task's is locked by the transaction that runs it, and could not be leased anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.store import BulkWriteError, Database, Index, InsertOne, Reader
from huiqun.work import Progress, Recurrence, Task, Work
from huiqun.work.task import TASKS, WAITING

LEASES = "task_leases"
TASK_INDEXES: Mapping[str, Sequence[Index]] = {
    TASKS: (Index((("state", 1), ("kind", 1), ("due", 1))), Index((("due", 1), ("_id", 1)))),
    # What a dead process has left goes after a day.
    LEASES: (Index((("until", 1),), expires_after=timedelta(days=1)),),
}
FAILED = "failed"
# Of several processes that look at once, each but one loses the first tasks to another.
_LOOKED_AT: Final = 20
_DUPLICATE_KEY: Final = 11000


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task with what has become of it so far: its state, its last error and whoever works on it."""

    task: Task
    state: str
    error: str
    is_running: bool
    scheduled_at: datetime
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueTasks:
    """How many tasks of a kind are due, and since when the oldest of them."""

    number: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Who takes tasks, when, and until when they are theirs unless the lease is renewed."""

    holder: str
    now: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class LeasedTask:
    """A task in hand; `deaths` is how many processes in a row held it and were gone before they gave it back."""

    task: Task
    deaths: int


async def lease_tasks(
    database: Database, kinds: Collection[str], lease: Lease, limit: int, running: Collection[str] = ()
) -> list[LeasedTask]:
    """Take up to `limit` tasks that are due and that nobody works on, those that have been due longest first.

    `running` are the keys of those that the holder works on already; what else it holds, it was interrupted in.
    """
    others, deaths = await _read_leases(database, lease)
    due = _due(kinds, lease.now)
    free = database[TASKS].find({**due, "_id": {"$nin": [*others, *running]}}, {"_id": 1})
    keys = [each["_id"] async for each in free.sort("due", 1).limit(limit + _LOOKED_AT)]
    leased: list[LeasedTask] = []
    while keys and len(leased) < limit:
        wanted, keys = keys[: limit - len(leased)], keys[limit - len(leased) :]
        if void := deaths.keys() & set(wanted):
            over = {"_id": {"$in": list(void)}, "$or": [{"until": {"$lt": lease.now}}, {"holder": lease.holder}]}
            await database[LEASES].delete_many(over)
        if not (taken := await _take(database, {key: deaths.get(key, 0) for key in wanted}, lease)):
            continue
        found = [_task(each) async for each in database[TASKS].find({**due, "_id": {"$in": taken}}).sort("due", 1)]
        # Done, cancelled or moved since it was found: whoever did so has given its lease up since.
        if gone := set(taken) - {task.key for task in found}:
            await release_leases(database, lease.holder, gone)
        leased += [LeasedTask(task, deaths.get(task.key, 0)) for task in found]
    return leased


async def find_due_kinds(
    database: Database, kinds: Collection[str], lease: Lease, running: Collection[str]
) -> set[str]:
    """Some of the kinds of which a task is due that nobody works on; none where there is none."""
    others, _ = await _read_leases(database, lease)
    query = {**_due(kinds, lease.now), "_id": {"$nin": [*others, *running]}}
    return {each["kind"] async for each in database[TASKS].find(query, {"kind": 1}).sort("due", 1).limit(_LOOKED_AT)}


def _due(kinds: Collection[str], now: datetime) -> dict[str, Any]:
    return {"state": WAITING, "kind": {"$in": list(kinds)}, "due": {"$lte": now}}


async def _read_leases(database: Database, lease: Lease) -> tuple[set[str], dict[str, int]]:
    """The keys that others hold, and those whose leases are void, with their deaths."""
    leases = await database[LEASES].find({}).to_list(None)
    void = {each["_id"]: each["deaths"] for each in leases if each["holder"] == lease.holder}
    void |= {each["_id"]: each["deaths"] + 1 for each in leases if each["until"] < lease.now}
    return {each["_id"] for each in leases} - set(void), void


async def _take(database: Database, wanted: Mapping[str, int], lease: Lease) -> list[str]:
    """Lease those of the tasks that nobody else holds at this moment; `wanted` maps their keys to deaths."""
    leases = [
        InsertOne({"_id": key, "holder": lease.holder, "until": lease.until, "deaths": deaths})
        for key, deaths in wanted.items()
    ]
    try:
        await database[LEASES].bulk_write(leases, ordered=False)
    except BulkWriteError as error:
        lost = {item["index"] for item in error.details["writeErrors"] if item["code"] == _DUPLICATE_KEY}
        if len(lost) < len(error.details["writeErrors"]):
            raise
        return [key for number, key in enumerate(wanted) if number not in lost]
    return list(wanted)


async def renew_leases(database: Database, lease: Lease, keys: Collection[str]) -> None:
    """Hold on to tasks that are still being worked on."""
    if keys:
        mine = {"holder": lease.holder, "_id": {"$in": list(keys)}}
        await database[LEASES].update_many(mine, {"$set": {"until": lease.until}})


async def release_leases(database: Database, holder: str, keys: Collection[str] | None = None) -> None:
    """Give up the leases of these tasks, or all that the holder has."""
    mine = {"holder": holder} if keys is None else {"holder": holder, "_id": {"$in": list(keys)}}
    await database[LEASES].delete_many(mine)


async def finish_task(work: Work, task: Task, holder: str) -> bool:
    """Delete a leased task in its own transaction; False when it was moved, cancelled or taken over meanwhile.

    Should two believe that they hold it, both delete the same document, and one of the transactions fails.
    """
    if await work.collection(LEASES).find_one({"_id": task.key, "holder": holder}) is None:
        return False
    result = await work.collection(TASKS).delete_one(_as_leased(task))
    return bool(result.deleted_count)


async def postpone_task(database: Database, task: Task, due: datetime, error: str) -> None:
    """Try a task again at `due`, after an attempt that failed."""
    change = {"$set": {"due": due, "error": error}, "$inc": {"attempts": 1}}
    await database[TASKS].update_one(_as_leased(task), change)


async def fail_task(work: Work, task: Task, error: str) -> bool:
    """Keep a task that is given up for an operator to see; it runs no more. False when it was moved or cancelled."""
    change = {"$set": {"state": FAILED, "error": error, "failed_at": work.now}, "$inc": {"attempts": 1}}
    result = await work.collection(TASKS).update_one(_as_leased(task), change)
    return bool(result.modified_count)


async def fail_unknown_tasks(database: Database, kinds: Collection[str], before: datetime, now: datetime) -> int:
    """Give up tasks due before `before` that this release has no handler for; returns how many."""
    unknown = {"state": WAITING, "kind": {"$nin": list(kinds)}, "due": {"$lt": before}}
    error = "nobody runs this kind of task: it was scheduled by another release"
    change = {"$set": {"state": FAILED, "error": error, "failed_at": now}}
    result = await database[TASKS].update_many(unknown, change)
    return int(result.modified_count)


async def report_progress(database: Database, task: Task, holder: str, progress: Progress) -> bool:
    """Note how far a task has come; False when it was moved or cancelled, or is not this holder's any more."""
    if await database[LEASES].find_one({"_id": task.key, "holder": holder}) is None:
        return False
    change = {"$set": {"progress": {"done": progress.done, "total": progress.total}}}
    result = await database[TASKS].update_one(_as_leased(task), change)
    return bool(result.matched_count)


async def retry_task(work: Work, key: str) -> bool:
    """Have a failed task tried anew, at once; False where there is no failed task of this key."""
    change = {"$set": {"state": WAITING, "due": work.now, "attempts": 0}, "$unset": {"failed_at": 1}}
    result = await work.collection(TASKS).update_one({"_id": key, "state": FAILED}, change)
    return bool(result.matched_count)


async def cancel_task(work: Work, key: str) -> bool:
    """Delete a task; what already runs of it has no effect any more. False where there is none."""
    result = await work.collection(TASKS).delete_one({"_id": key})
    return bool(result.deleted_count)


async def find_task(reader: Reader, key: str) -> TaskRecord | None:
    """The task of this key."""
    return next(iter(await find_tasks(reader, [key])), None)


async def find_tasks(reader: Reader, keys: Collection[str]) -> list[TaskRecord]:
    """Those of the tasks of these keys that there are, in any order."""
    return await _records(reader, await reader.collection(TASKS).find({"_id": {"$in": list(keys)}}).to_list(None))


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted: those of a state, a kind; None for all."""

    state: str | None = None
    kind: str | None = None


async def list_tasks(
    reader: Reader, wanted: TaskFilter, after: tuple[datetime, str] | None, limit: int
) -> list[TaskRecord]:
    """Tasks by their due time and then their key, after the given place."""
    query: dict[str, Any] = {
        name: value for name, value in (("state", wanted.state), ("kind", wanted.kind)) if value is not None
    }
    if after is not None:
        query["$or"] = [{"due": {"$gt": after[0]}}, {"due": after[0], "_id": {"$gt": after[1]}}]
    cursor = reader.collection(TASKS).find(query).sort([("due", 1), ("_id", 1)]).limit(limit)
    return await _records(reader, await cursor.to_list(None))


async def count_tasks(reader: Reader, prefix: str) -> int:
    """How many tasks there are whose keys begin so."""
    return int(await reader.collection(TASKS).count_documents({"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}}))


async def find_next_due(database: Database) -> datetime | None:
    """When the next of the tasks that wait is due, or has been; None where none waits."""
    found = await database[TASKS].find_one({"state": WAITING}, {"due": 1}, sort=[("due", 1)])
    return found["due"] if found else None


async def count_failed_tasks(database: Database) -> dict[str, int]:
    """How many tasks have failed, by kind."""
    counted = await database[TASKS].aggregate(
        [{"$match": {"state": FAILED}}, {"$group": {"_id": "$kind", "number": {"$sum": 1}}}]
    )
    return {group["_id"]: group["number"] async for group in counted}


async def count_due_tasks(database: Database, kinds: Collection[str], now: datetime) -> dict[str, DueTasks]:
    """What is due and not done, by kind."""
    counted = await database[TASKS].aggregate(
        [
            {"$match": {"state": WAITING, "kind": {"$in": list(kinds)}, "due": {"$lte": now}}},
            {"$group": {"_id": "$kind", "number": {"$sum": 1}, "oldest": {"$min": "$due"}}},
        ]
    )
    return {group["_id"]: DueTasks(group["number"], group["oldest"]) async for group in counted}


def _as_leased(task: Task) -> dict[str, Any]:
    """The task, unless it was moved or tried by somebody else meanwhile."""
    return {"_id": task.key, "idempotency_key": task.idempotency_key, "attempts": task.attempts}


def _task(document: Mapping[str, Any]) -> Task:
    recurrence, progress = document.get("recurrence"), document.get("progress")
    return Task(
        key=document["_id"],
        kind=document["kind"],
        due=document["due"],
        payload=document["payload"],
        recurrence=Recurrence(**recurrence) if recurrence else None,
        progress=Progress(**progress) if progress else None,
        attempts=document["attempts"],
        idempotency_key=document["idempotency_key"],
        traceparent=document.get("traceparent"),
    )


async def _records(reader: Reader, documents: Sequence[Mapping[str, Any]]) -> list[TaskRecord]:
    keys = [document["_id"] for document in documents]
    leased = {each["_id"] async for each in reader.collection(LEASES).find({"_id": {"$in": keys}}, {"_id": 1})}
    return [
        TaskRecord(
            task=_task(document),
            state=document["state"],
            error=document.get("error", ""),
            is_running=document["_id"] in leased,
            scheduled_at=document["scheduled_at"],
            failed_at=document.get("failed_at"),
        )
        for document in documents
    ]

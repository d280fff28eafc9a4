"""The tasks in MongoDB: written in a transaction, leased when due, kept for an operator when failed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.runtime.ids import new_id
from huiqun.store import Database, DeleteMany, Index, ReplaceOne, Session
from huiqun.tasks.model import Progress, Recurrence, Task

TASKS = "tasks"
TASK_INDEXES: Mapping[str, Sequence[Index]] = {
    TASKS: (
        Index((("state", 1), ("kind", 1), ("due", 1))),
        Index((("due", 1),)),
        Index((("holder", 1),), where={"holder": {"$exists": True}}),
    )
}
WAITING, FAILED = "waiting", "failed"


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


async def write_tasks(
    database: Database, session: Session, scheduled: Sequence[Task], cancelled: Sequence[str], now: datetime
) -> None:
    """Write the scheduled tasks and delete the cancelled ones, in the caller's transaction."""
    operations: list[Any] = [ReplaceOne({"_id": task.key}, _document(task, now), upsert=True) for task in scheduled]
    if cancelled:
        operations.insert(0, DeleteMany({"_id": {"$in": list(cancelled)}}))
    if operations:
        await database[TASKS].bulk_write(operations, ordered=True, session=session)


async def lease_tasks(database: Database, kinds: Collection[str], lease: "Lease", limit: int) -> list[Task]:
    """Take up to `limit` tasks that are due and that nobody works on, those that have been due longest first."""
    due = {
        "state": WAITING,
        "due": {"$lte": lease.now},
        "kind": {"$in": list(kinds)},
        "$or": [{"leased_until": None}, {"leased_until": {"$lt": lease.now}}],
    }
    found = await database[TASKS].find(due, {"_id": 1}).sort("due", 1).limit(limit).to_list()
    if not found:
        return []
    taken = {"holder": lease.holder, "lease_id": new_id(), "leased_until": lease.until}
    await database[TASKS].update_many({"_id": {"$in": [each["_id"] for each in found]}, **due}, {"$set": taken})
    mine = database[TASKS].find({"holder": lease.holder, "lease_id": taken["lease_id"]}).sort("due", 1)
    return [_task(document) async for document in mine]


@dataclass(frozen=True, slots=True)
class Lease:
    """Who takes tasks, when, and until when they are theirs unless the lease is renewed."""

    holder: str
    now: datetime
    until: datetime


async def renew_leases(database: Database, lease: Lease, keys: Collection[str]) -> None:
    """Hold on to tasks that are still being worked on."""
    if keys:
        await database[TASKS].update_many(
            {"holder": lease.holder, "_id": {"$in": list(keys)}}, {"$set": {"leased_until": lease.until}}
        )


async def release_leases(database: Database, holder: str) -> None:
    """Leave what is not done to others, at once."""
    await database[TASKS].update_many({"holder": holder}, {"$set": {"leased_until": None}, "$unset": {"holder": 1}})


async def finish_task(database: Database, session: Session, task: Task, holder: str) -> bool:
    """Delete a leased task in its own transaction; False when it was moved, cancelled or taken over meanwhile."""
    result = await database[TASKS].delete_one(_held(task, holder), session=session)
    return bool(result.deleted_count)


async def postpone_task(database: Database, task: Task, holder: str, due: datetime, error: str) -> None:
    """Try a task again at `due`, after an attempt that failed."""
    await database[TASKS].update_one(
        _held(task, holder),
        {"$set": {"due": due, "leased_until": None, "error": error}, "$inc": {"attempts": 1}, "$unset": {"holder": 1}},
    )


async def fail_task(
    database: Database, session: Session, task: Task, holder: str, outcome: tuple[str, datetime]
) -> bool:
    """Keep a task that is given up, with the reason and the time, where an operator sees it; it runs no more."""
    error, now = outcome
    result = await database[TASKS].update_one(
        _held(task, holder),
        {
            "$set": {"state": FAILED, "leased_until": None, "error": error, "failed_at": now},
            "$inc": {"attempts": 1},
            "$unset": {"holder": 1},
        },
        session=session,
    )
    return bool(result.modified_count)


async def fail_unknown_tasks(database: Database, kinds: Collection[str], before: datetime, now: datetime) -> int:
    """Give up tasks due before `before` that this release has no handler for; returns how many."""
    unknown = {"state": WAITING, "kind": {"$nin": list(kinds)}, "due": {"$lt": before}}
    error = "nobody runs this kind of task: it was scheduled by another release"
    result = await database[TASKS].update_many(
        unknown, {"$set": {"state": FAILED, "error": error, "failed_at": now, "leased_until": None}}
    )
    return int(result.modified_count)


async def report_progress(database: Database, task: Task, holder: str, progress: Progress) -> bool:
    """Note how far a task has come; False when it is not this holder's any more."""
    result = await database[TASKS].update_one(
        _held(task, holder), {"$set": {"progress": {"done": progress.done, "total": progress.total}}}
    )
    return bool(result.matched_count)


async def retry_task(database: Database, session: Session, key: str, now: datetime) -> bool:
    """Have a failed task tried anew, at once; False where there is no failed task of this key."""
    result = await database[TASKS].update_one(
        {"_id": key, "state": FAILED},
        {"$set": {"state": WAITING, "due": now, "attempts": 0}, "$unset": {"failed_at": 1}},
        session=session,
    )
    return bool(result.matched_count)


async def cancel_task(database: Database, session: Session, key: str) -> bool:
    """Delete a task; what already runs of it has no effect any more. False where there is none."""
    result = await database[TASKS].delete_one({"_id": key}, session=session)
    return bool(result.deleted_count)


async def find_task(database: Database, key: str) -> TaskRecord | None:
    """The task of this key."""
    document = await database[TASKS].find_one({"_id": key})
    return _record(document) if document else None


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted: those of a state, a kind; None for all."""

    state: str | None = None
    kind: str | None = None


async def list_tasks(
    database: Database, wanted: TaskFilter, after: tuple[datetime, str] | None, limit: int
) -> list[TaskRecord]:
    """Tasks by their due time and then their key, after the given place."""
    query: dict[str, Any] = {
        name: value for name, value in (("state", wanted.state), ("kind", wanted.kind)) if value is not None
    }
    if after is not None:
        query["$or"] = [{"due": {"$gt": after[0]}}, {"due": after[0], "_id": {"$gt": after[1]}}]
    cursor = database[TASKS].find(query).sort([("due", 1), ("_id", 1)]).limit(limit)
    return [_record(document) async for document in cursor]


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


def _held(task: Task, holder: str) -> dict[str, Any]:
    return {"_id": task.key, "holder": holder, "idempotency_key": task.idempotency_key}


def _document(task: Task, now: datetime) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": task.key,
        "kind": task.kind,
        "due": task.due,
        "payload": dict(task.payload),
        "state": WAITING,
        "attempts": 0,
        "idempotency_key": new_id(),
        "leased_until": None,
        "scheduled_at": now,
    }
    if task.recurrence is not None:
        each = task.recurrence
        document["recurrence"] = {"rule": each.rule, "timezone": each.timezone, "start": each.start}
    if task.progress is not None:
        document["progress"] = {"done": task.progress.done, "total": task.progress.total}
    if task.traceparent is not None:
        document["traceparent"] = task.traceparent
    return document


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


def _record(document: Mapping[str, Any]) -> TaskRecord:
    return TaskRecord(
        task=_task(document),
        state=document["state"],
        error=document.get("error", ""),
        is_running=document.get("leased_until") is not None,
        scheduled_at=document["scheduled_at"],
        failed_at=document.get("failed_at"),
    )

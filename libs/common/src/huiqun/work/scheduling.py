"""Tasks as they are written in the transaction that needs them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from huiqun.runtime.ids import new_id
from huiqun.store import DeleteMany, Operation, ReplaceOne
from huiqun.work.task import TASKS, WAITING, Task
from huiqun.work.unit_of_work import Work


async def write_tasks(work: Work, scheduled: Collection[Task], cancelled: Collection[str]) -> None:
    """Write the scheduled tasks and delete the cancelled ones."""
    operations: list[Operation] = [
        ReplaceOne({"_id": task.key}, _document(task, work.now), upsert=True) for task in scheduled
    ]
    if cancelled:
        operations.insert(0, DeleteMany({"_id": {"$in": list(cancelled)}}))
    if operations:
        await work.collection(TASKS).bulk_write(operations)


def _document(task: Task, now: datetime) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": task.key,
        "kind": task.kind,
        "due": task.due,
        "payload": dict(task.payload),
        "state": WAITING,
        "attempts": 0,
        "idempotency_key": new_id(),
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

"""A task: what is to be done later, as it is scheduled and as it is written in the transaction that needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from huiqun.runtime.calendar import next_occurrence
from huiqun.runtime.ids import new_id
from huiqun.store import Database, DeleteMany, ReplaceOne, Session

TASKS: Final = "tasks"
WAITING: Final = "waiting"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task has come; `total` is 0 where nobody knows yet."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a periodic task is due again: an RRULE read in a time zone, counted from `start`."""

    rule: str
    timezone: str
    start: datetime

    def next_due(self, after: datetime) -> datetime | None:
        """The next time after `after`, in UTC; None if it is over."""
        return next_occurrence(self.rule, ZoneInfo(self.timezone), self.start, after)


@dataclass(frozen=True, slots=True)
class Task:
    """Work of `kind` that is due at `due`; to schedule a key again moves it and begins its attempts anew.

    `payload` is what BSON can hold. After downtime a recurring task runs once for all the times that were missed.
    """

    key: str
    kind: str
    due: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    recurrence: Recurrence | None = None
    progress: Progress | None = None
    attempts: int = 0
    idempotency_key: str = ""
    traceparent: str | None = None


async def write_tasks(
    database: Database, session: Session, scheduled: Sequence[Task], cancelled: Sequence[str], now: datetime
) -> None:
    """Write the scheduled tasks and delete the cancelled ones, in the caller's transaction."""
    operations: list[Any] = [ReplaceOne({"_id": task.key}, _document(task, now), upsert=True) for task in scheduled]
    if cancelled:
        operations.insert(0, DeleteMany({"_id": {"$in": list(cancelled)}}))
    if operations:
        await database[TASKS].bulk_write(operations, ordered=True, session=session)


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

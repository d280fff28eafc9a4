"""A task: what is to be done later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from huiqun.runtime.calendar import next_occurrence

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

"""The unit of work: everything it writes is committed together, then its events are published."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from huiqun.contracts.envelope import Event
from huiqun.store import Database, Session
from huiqun.tasks.model import Task


@dataclass(slots=True)
class Work:
    """An open transaction. Give `session` to every read and write; nothing leaves before the commit.

    On a write conflict the use case runs again with a new Work, so it touches nothing outside of it.
    """

    db: Database
    session: Session
    now: datetime
    emitted: list[Event] = field(default_factory=list)
    scheduled: dict[str, Task] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)

    def emit(self, event: Event) -> None:
        """Publish `event` after the commit; if the process dies in between, the relay does."""
        self.emitted.append(event)

    def emit_all(self, events: Sequence[Event]) -> None:
        """Publish `events` after the commit, in this order."""
        self.emitted.extend(events)

    def schedule(self, task: Task) -> None:
        """Run `task` when it is due; a task of the same key is replaced."""
        self.cancelled.discard(task.key)
        self.scheduled[task.key] = task

    def cancel(self, key: str) -> None:
        """Forget the task of this key, if there is one."""
        self.scheduled.pop(key, None)
        self.cancelled.add(key)

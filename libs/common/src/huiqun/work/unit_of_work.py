"""The unit of work: everything it writes is committed together, then its events are published."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from huiqun.contracts.envelope import Event
from huiqun.kafka.publisher import Record
from huiqun.store import BoundCollection, Database, Outside, Reader, Session
from huiqun.work.task import Task


async def _alone() -> None:
    """Wait for nobody."""


@dataclass(slots=True)
class Work(Reader):
    """An open transaction: what `collection` reads and writes is in it, and nothing leaves before the commit.

    On a write conflict the use case runs again with a new Work, so it touches nothing outside of it. `letters` are the
    dead letters of what was refused. `take_turn` waits until no other work of this process has taken its turn and not
    ended. `cleanups` run after the commit; what they do may be left undone.
    """

    _database: Database
    _session: Session
    now: datetime
    emitted: list[Event] = field(default_factory=list)
    scheduled: dict[str, Task] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    refused: list[tuple[Event, str]] = field(default_factory=list)
    letters: list[Record] = field(default_factory=list)
    take_turn: Callable[[], Awaitable[None]] = _alone
    cleanups: list[Callable[[Outside], Awaitable[object]]] = field(default_factory=list)

    def collection(self, name: str) -> BoundCollection:
        """The collection of this name, read and written in this transaction."""
        return BoundCollection(self._database[name], self._session)

    def outside(self) -> Outside:
        """The same database outside of this transaction, for the engine: what others have committed by now."""
        return Outside(self._database)

    def emit(self, event: Event) -> None:
        """Publish `event` after the commit; if the process dies in between, the relay does."""
        self.emitted.append(event)

    def emit_all(self, events: Sequence[Event]) -> None:
        """Publish `events` after the commit, in this order."""
        self.emitted.extend(events)

    def refuse(self, event: Event, reason: str) -> None:
        """Set aside an event that this use case was given and must not act on: it becomes a dead letter, with the rest
        of the batch. `reason` quotes nothing of it."""
        self.refused.append((event, reason))

    def schedule(self, task: Task) -> None:
        """Run `task` when it is due; a task of the same key is replaced."""
        self.cancelled.discard(task.key)
        self.scheduled[task.key] = task

    def cancel(self, key: str) -> None:
        """Forget the task of this key, if there is one."""
        self.scheduled.pop(key, None)
        self.cancelled.add(key)

"""The unit of work: everything it writes is committed together, then its events are published."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from huiqun.contracts.envelope import Event
from huiqun.kafka.publisher import Record
from huiqun.store import BoundCollection, Database, OutsideTransaction, Reader, Session
from huiqun.work.task import Task


async def _alone() -> None:
    """Wait for nobody."""


@dataclass(slots=True)
class _Traces:
    """The traces of several events by their subject, as far as one subject has one trace; looked up when needed."""

    events: Sequence[Event] = ()
    _found: dict[str, str | None] | None = None

    def of(self, subject: str) -> str | None:
        """The trace of the events on this subject; None where they have several, or there are none."""
        if self._found is None:
            self._found = {}
            for event in self.events:
                known = self._found.setdefault(event.subject, event.traceparent)
                if known != event.traceparent:
                    self._found[event.subject] = None
        return self._found.get(subject)


_UNTRACED: Final = _Traces()


@dataclass(slots=True)
class Work(Reader):
    """An open transaction: what `collection` reads and writes is in it, and nothing leaves before the commit.

    On a write conflict the use case runs again with a new Work, so it touches nothing outside of it. `letters` are the
    dead letters of what was refused. `take_turn` waits until no other work of this process has taken its turn and not
    ended. `cleanups` run after the commit; what they do may be left undone.

    What it emits and schedules carries on the trace of what it is done for: `traceparent` is that of a request, of a
    task, or of the one event of a batch. `source` is that of the service's events, `task_key` the key of the task that
    this is a run of.
    """

    _database: Database
    _session: Session
    now: datetime
    source: str = "huiqun"
    traceparent: str | None = None
    task_key: str | None = None
    emitted: list[Event] = field(default_factory=list)
    scheduled: dict[str, Task] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    refused: list[tuple[Event, str]] = field(default_factory=list)
    letters: list[Record] = field(default_factory=list)
    take_turn: Callable[[], Awaitable[None]] = _alone
    cleanups: list[Callable[[OutsideTransaction], Awaitable[object]]] = field(default_factory=list)
    _traces: _Traces = field(default_factory=_Traces)

    def collection(self, name: str) -> BoundCollection:
        """The collection of this name, read and written in this transaction."""
        return BoundCollection(self._database[name], self._session)

    def outside_transaction(self) -> OutsideTransaction:
        """The same database outside of this transaction, for the engine: what others have committed by now."""
        return OutsideTransaction(self._database)

    def act_on(self, events: Sequence[Event]) -> None:
        """Say what is handled from now on. What one event leads to carries its trace.

        Of several it is the one on the same subject. Where there are several of these too, whoever emits names the
        cause.
        """
        self.traceparent = events[0].traceparent if len(events) == 1 else None
        # Most senders trace nothing: then there is nothing to look up for what thousands of messages lead to.
        some_traced = len(events) > 1 and any([event.traceparent is not None for event in events])  # noqa: C419
        self._traces = _Traces(events) if some_traced else _UNTRACED

    def trace_on(self, subject: str) -> str | None:
        """The trace of what is done now about `subject`; None where there is none, or it cannot be told."""
        return self.traceparent or self._traces.of(subject)

    def emit(self, event: Event) -> None:
        """Publish `event` after the commit; if the process dies in between, the relay does."""
        if event.traceparent is None and (trace := self.trace_on(event.subject)) is not None:
            event = event.model_copy(update={"traceparent": trace})
        self.emitted.append(event)

    def emit_all(self, events: Sequence[Event]) -> None:
        """Publish `events` after the commit, in this order."""
        for event in events:
            self.emit(event)

    def refuse(self, event: Event, reason: str) -> None:
        """Set aside an event that this use case was given and must not act on: it becomes a dead letter, with the rest
        of the batch. `reason` quotes nothing of it."""
        self.refused.append((event, reason))

    def schedule(self, task: Task, cause: Event | None = None) -> None:
        """Run `task` when it is due; a task of the same key is replaced. `cause` is the one of several events.

        A task that schedules itself anew begins another trace, unless it says which it carries on: it may go on for
        years.
        """
        trace = cause.traceparent if cause is not None else self.traceparent
        if task.traceparent is None and trace is not None and task.key != self.task_key:
            task = replace(task, traceparent=trace)
        self.cancelled.discard(task.key)
        self.scheduled[task.key] = task

    def cancel(self, key: str) -> None:
        """Forget the task of this key, if there is one."""
        self.scheduled.pop(key, None)
        self.cancelled.add(key)

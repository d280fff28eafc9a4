"""Commits a batch's events: as a whole, in halves where the store does not take the whole, or one by one."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import TopicPartition

from huiqun.runtime.health import Heartbeat
from huiqun.store import DuplicateKey, StoreError, is_abort, is_too_large, is_write_conflict
from huiqun.stream.batch import Received
from huiqun.stream.breaker import Place
from huiqun.stream.dead_letters import dead_letter
from huiqun.stream.line import Line
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.telemetry import metrics, reason_of, traceback_of
from huiqun.work import Work, inbox, outbox
from huiqun.work.retry import until_it_passes
from huiqun.work.transactor import Delivery

_log = structlog.get_logger(__name__)

# The first time may be chance; a single record cannot be halved, and may meet others that want the same document.
_MOST_ABORTS = 2
_MOST_ABORTS_OF_ONE = 20

PublishLeftovers = Callable[[Sequence[str]], Awaitable[None]]


class KeyExistsError(RuntimeError):
    """A handler wrote a unique key that exists, although none of its events had been dealt with."""


class TransactionAbortedError(RuntimeError):
    """The store is there, and has ended the transaction of these events again and again, or finds it too large."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An event on which its handler failed, alone: why, and where."""

    item: Received
    reason: str
    where: str


@dataclass(slots=True)
class Handled:
    """What became of a batch: what its events left to be published, those that failed, and those left for later.

    `count` are the events that a handler took. `contradicting` are those whose identity was dealt with before, with
    another content.
    """

    entries: list[outbox.Entry] = field(default_factory=list)
    count: int = 0
    failed: list[Failure] = field(default_factory=list)
    left: list[Received] = field(default_factory=list)
    contradicting: dict[int, Received] = field(default_factory=dict)


class BatchHandling:
    """Has events handled, each once, and finds those that cannot be."""

    def __init__(self, line: Line, heartbeat: Heartbeat, publish_leftovers: PublishLeftovers) -> None:
        """`publish_leftovers` publishes what former owners of partitions ("topic/number") have left."""
        self._line = line
        self._heartbeat = heartbeat
        self._publish_leftovers = publish_leftovers

    async def handle(self, received: Sequence[Received], *, trial: bool = False) -> Handled:
        """Handle the events in their order, for as long as the store is away; raises nothing of a handler's.

        Events of a partition whose breaker is open are left for later, but for a `trial`.
        """
        handled = Handled()
        waiting = [list(received)] if received else []
        paused: set[Place] = set()
        while waiting:
            part = waiting.pop() if trial else self._without_paused(waiting.pop(), paused, handled)
            if not part:
                continue
            try:
                handled.entries += await self._commit(part, handled)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its neighbours go on
                if len(part) > 1:
                    waiting += reversed(self._divided(part, error))
                else:
                    handled.failed.append(self._failure(part[0], error))
            else:
                handled.count += self._note_handled(part)
        return handled

    def _without_paused(self, part: list[Received], paused: set[Place], handled: Handled) -> list[Received]:
        """The events of partitions that are not paused; a partition that is stays so to the end of the batch."""
        guard, place_of = self._line.guard, self._line.place_of
        if not paused and not guard.has_open:
            return part
        paused.update(place for place in {place_of(item.record) for item in part} if guard.is_open(place))
        if not paused:
            return part
        handled.left += [item for item in part if place_of(item.record) in paused]
        return [item for item in part if place_of(item.record) not in paused]

    def _divided(self, part: list[Received], error: Exception) -> list[list[Received]]:
        """Halves of what the store did not take; of what a handler did not, single events."""
        _log.warning("batch_split", consumer=self._line.service, events=len(part), error=type(error).__name__)
        if isinstance(error, TransactionAbortedError):
            middle = len(part) // 2
            return [part[:middle], part[middle:]]
        return [[item] for item in part]

    def _failure(self, item: Received, error: Exception) -> Failure:
        where, reason = traceback_of(error), reason_of(error)
        _log.error("event_dead", consumer=self._line.service, id=item.event.id, where=where)
        self._line.guard.note_failed(self._line.place_of(item.record), item.record.key, reason)
        return Failure(item, reason, where)

    def _note_handled(self, part: list[Received]) -> int:
        """Count the events for the breakers. What was no event says nothing of how their handlers do."""
        keys: dict[tuple[str, int], list[Hashable]] = defaultdict(list)
        for item in part:
            if type(item.event) is not UnreadableRecord:
                record = item.record
                keys[record.topic, record.partition].append(record.key)
        for (topic, partition), some in keys.items():
            self._line.guard.note_handled(self._line.place_of(TopicPartition(topic, partition)), some)
        return sum(map(len, keys.values()))

    async def _commit(self, received: list[Received], handled: Handled) -> list[outbox.Entry]:
        """Commit the events that are new, for as long as the store is away; raises what does not pass.

        What a handler refuses leaves with the batch.
        """
        line, left, aborts = self._line, received, 0

        async def dispatch(work: Work) -> None:
            for record, reason in await line.table.dispatch(work, left):
                work.letters.append(dead_letter(line.service, record, reason=reason, error="", prefix=line.prefix))

        async def attempt() -> list[outbox.Entry]:
            nonlocal left, aborts
            while left:
                self._heartbeat.beat()
                delivery = _delivery(left)
                try:
                    with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="handle").time():
                        _, entries = await line.transactor.commit(dispatch, delivery)
                except DuplicateKey as error:
                    left = await self._unknown(left, delivery, error, handled)
                except StoreError as error:
                    # Who meets another's transaction, alone, is not to blame: the other ends, or is ended, in time.
                    aborts += is_abort(error) and not (len(left) == 1 and is_write_conflict(error))
                    if is_too_large(error) or aborts >= (_MOST_ABORTS if len(left) > 1 else _MOST_ABORTS_OF_ONE):
                        raise TransactionAbortedError(f"aborted {aborts} times") from error
                    raise
                else:
                    count_records(line.service, left, "handled")
                    return entries
            return []

        return await until_it_passes(attempt, name=line.service, on_wait=self._heartbeat.failing)

    async def _unknown(
        self, received: list[Received], delivery: Delivery, error: DuplicateKey, handled: Handled
    ) -> list[Received]:
        """The events that the inbox does not know; raises when it knows none, for then another key was the duplicate.

        One that it knows may have been committed by a process that died, or whose answer was lost: what it emitted
        has to leave before anything newer does.
        """
        known = await inbox.find_fingerprints(self._line.transactor.database, delivery.identities)
        if not known:
            raise KeyExistsError(f"{self._line.service}: {(error.details or {}).get('keyPattern')}") from error
        await self._publish_leftovers(delivery.partitions)
        left = [item for item in received if item.identity not in known]
        count_records(self._line.service, received, "duplicate", but=left)
        for item in received:
            if item.identity in known and item.contradicts(known[item.identity]):
                handled.contradicting[id(item.record)] = item
        return left


def count_records(consumer: str, received: Sequence[Received], outcome: str, but: Sequence[Received] = ()) -> None:
    """Count the events of `received` that are not in `but`, which is a part of it."""
    if len(received) == len(but):
        return
    types = Counter([type(item.event) for item in received])
    types.subtract([type(item.event) for item in but])
    for event, number in types.items():
        metrics.RECORDS.labels(consumer=consumer, topic=event.topic.name, outcome=outcome).inc(number)


def _delivery(received: Sequence[Received]) -> Delivery:
    partitions = dict.fromkeys(f"{item.record.topic}/{item.record.partition}" for item in received)
    fingerprints = [item.event.fingerprint for item in received]
    return Delivery([item.identity for item in received], list(partitions), fingerprints)

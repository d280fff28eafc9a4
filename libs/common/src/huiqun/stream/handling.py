"""Commits a batch's events: as a whole, in halves where the store does not take the whole, or one by one."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import TopicPartition

from huiqun.runtime.health import Heartbeat
from huiqun.store import DuplicateKey, StoreError, is_too_large, is_transaction_abort, is_write_conflict
from huiqun.stream.batch import ReceivedEvent
from huiqun.stream.breaker import PartitionId
from huiqun.stream.context import ConsumerContext
from huiqun.stream.dead_letters import dead_letter_record
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.telemetry import format_frames, locate_error, metrics
from huiqun.work import Work, inbox, outbox
from huiqun.work.retry import retry_forever
from huiqun.work.transactor import BatchDelivery

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
class HandlerFailure:
    """An event on which its handler failed, alone: why, and where."""

    item: ReceivedEvent
    reason: str
    where: str


@dataclass(slots=True)
class HandledBatch:
    """What became of a batch: what its events left to be published, those that failed, and those left for later.

    `count` are the events that a handler took. `contradicting` are those whose identity was dealt with before, with
    another content.
    """

    entries: list[outbox.OutboxEntry] = field(default_factory=list)
    count: int = 0
    failed: list[HandlerFailure] = field(default_factory=list)
    left: list[ReceivedEvent] = field(default_factory=list)
    contradicting: dict[int, ReceivedEvent] = field(default_factory=dict)


class BatchHandling:
    """Has events handled, each once, and finds those that cannot be."""

    def __init__(self, context: ConsumerContext, heartbeat: Heartbeat, publish_leftovers: PublishLeftovers) -> None:
        """`publish_leftovers` publishes what former owners of partitions ("topic/number") have left."""
        self._context = context
        self._heartbeat = heartbeat
        self._publish_leftovers = publish_leftovers

    async def handle(self, received: Sequence[ReceivedEvent], *, trial: bool = False) -> HandledBatch:
        """Handle the events in their order, for as long as the store is away; raises nothing of a handler's.

        Events of a partition whose breaker is open are left for later, but for a `trial`.
        """
        handled = HandledBatch()
        waiting = [list(received)] if received else []
        paused: set[PartitionId] = set()
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

    def _without_paused(
        self, part: list[ReceivedEvent], paused: set[PartitionId], handled: HandledBatch
    ) -> list[ReceivedEvent]:
        """The events of partitions that are not paused; a partition that is stays so to the end of the batch."""
        guard, place_of = self._context.guard, self._context.partition_id_of
        if not paused and not guard.has_open:
            return part
        paused.update(place for place in {place_of(item.record) for item in part} if guard.is_open(place))
        if not paused:
            return part
        handled.left += [item for item in part if place_of(item.record) in paused]
        return [item for item in part if place_of(item.record) not in paused]

    def _divided(self, part: list[ReceivedEvent], error: Exception) -> list[list[ReceivedEvent]]:
        """Halves of what the store did not take; of what a handler did not, single events."""
        _log.warning("batch_split", consumer=self._context.service, events=len(part), error=type(error).__name__)
        if isinstance(error, TransactionAbortedError):
            middle = len(part) // 2
            return [part[:middle], part[middle:]]
        return [[item] for item in part]

    def _failure(self, item: ReceivedEvent, error: Exception) -> HandlerFailure:
        where, reason = format_frames(error), locate_error(error)
        _log.error("event_dead", consumer=self._context.service, id=item.event.id, where=where)
        self._context.guard.note_failed(self._context.partition_id_of(item.record), item.record.key, reason)
        return HandlerFailure(item, reason, where)

    def _note_handled(self, part: list[ReceivedEvent]) -> int:
        """Count the events for the breakers. What was no event says nothing of how their handlers do."""
        keys: dict[tuple[str, int], list[Hashable]] = defaultdict(list)
        for item in part:
            if type(item.event) is not UnreadableRecord:
                record = item.record
                keys[record.topic, record.partition].append(record.key)
        for (topic, partition), some in keys.items():
            self._context.guard.note_handled(self._context.partition_id_of(TopicPartition(topic, partition)), some)
        return sum(map(len, keys.values()))

    async def _commit(self, received: list[ReceivedEvent], handled: HandledBatch) -> list[outbox.OutboxEntry]:
        """Commit the events that are new, for as long as the store is away; raises what does not pass.

        What a handler refuses leaves with the batch.
        """
        context, left, aborts = self._context, received, 0

        async def dispatch(work: Work) -> None:
            for record, reason in await context.table.dispatch(work, left):
                work.letters.append(
                    dead_letter_record(context.service, record, reason=reason, error="", prefix=context.prefix)
                )

        async def attempt() -> list[outbox.OutboxEntry]:
            nonlocal left, aborts
            while left:
                self._heartbeat.beat()
                delivery = _delivery(left)
                try:
                    with metrics.STAGE_SECONDS.labels(consumer=context.service, stage="handle").time():
                        _, entries = await context.transactor.commit(dispatch, delivery)
                except DuplicateKey as error:
                    left = await self._unknown(left, delivery, error, handled)
                except StoreError as error:
                    # Who meets another's transaction, alone, is not to blame: the other ends, or is ended, in time.
                    aborts += is_transaction_abort(error) and not (len(left) == 1 and is_write_conflict(error))
                    if is_too_large(error) or aborts >= (_MOST_ABORTS if len(left) > 1 else _MOST_ABORTS_OF_ONE):
                        raise TransactionAbortedError(f"aborted {aborts} times") from error
                    raise
                else:
                    count_records(context.service, left, "handled")
                    return entries
            return []

        return await retry_forever(attempt, name=context.service, on_retry=self._heartbeat.mark_failing)

    async def _unknown(
        self, received: list[ReceivedEvent], delivery: BatchDelivery, error: DuplicateKey, handled: HandledBatch
    ) -> list[ReceivedEvent]:
        """The events that the inbox does not know; raises when it knows none, for then another key was the duplicate.

        One that it knows may have been committed by a process that died, or whose answer was lost: what it emitted
        has to leave before anything newer does.
        """
        known = await inbox.find_fingerprints(self._context.transactor.database, delivery.identities)
        if not known:
            raise KeyExistsError(f"{self._context.service}: {(error.details or {}).get('keyPattern')}") from error
        await self._publish_leftovers(delivery.partitions)
        left = [item for item in received if item.identity not in known]
        count_records(self._context.service, received, "duplicate", but=left)
        for item in received:
            if item.identity in known and item.contradicts(known[item.identity]):
                handled.contradicting[id(item.record)] = item
        return left


def count_records(
    consumer: str, received: Sequence[ReceivedEvent], outcome: str, but: Sequence[ReceivedEvent] = ()
) -> None:
    """Count the events of `received` that are not in `but`, which is a part of it."""
    if len(received) == len(but):
        return
    types = Counter([type(item.event) for item in received])
    types.subtract([type(item.event) for item in but])
    for event, number in types.items():
        metrics.RECORDS.labels(consumer=consumer, topic=event.topic.name, outcome=outcome).inc(number)


def _delivery(received: Sequence[ReceivedEvent]) -> BatchDelivery:
    partitions = dict.fromkeys(f"{item.record.topic}/{item.record.partition}" for item in received)
    fingerprints = [item.event.fingerprint for item in received]
    return BatchDelivery([item.identity for item in received], list(partitions), fingerprints)

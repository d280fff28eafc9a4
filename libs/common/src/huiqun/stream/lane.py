"""A lane: takes batches of its share of the partitions through handling, publishing and acknowledging."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from huiqun.contracts.topics import Topic
from huiqun.runtime.health import Heartbeat
from huiqun.store import DuplicateKey
from huiqun.stream import inbox, outbox
from huiqun.stream.batch import Batch, Received, decode_batch, traced, without_duplicates
from huiqun.stream.dead_letters import (
    DeadLetterLog,
    TooManyDeadLettersError,
    dead_letter,
    keep,
    reason_of,
    traceback_of,
)
from huiqun.stream.parked import ParkingPublisher
from huiqun.stream.partition_watch import PartitionWatch
from huiqun.stream.publisher import Record
from huiqun.stream.retry import until_it_passes
from huiqun.stream.routes import RoutingTable
from huiqun.stream.transactor import Delivery, Transactor
from huiqun.stream.work import Work
from huiqun.telemetry import metrics
from huiqun.telemetry.tracing import is_tracing

_log = structlog.get_logger(__name__)


class KeyExistsError(RuntimeError):
    """A handler wrote a unique key that exists, although none of its events had been dealt with."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch left to send: committed outbox entries and dead letters."""

    entries: list[outbox.Entry]
    letters: list[Record]


@dataclass(slots=True)
class DeadShare:
    """Stops a consumer when more than `share` of the last `window` records are dead, but not for a few of them."""

    share: float = 0.5
    window: int = 1_000
    least: int = 100
    recent: deque[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.recent = deque(maxlen=self.window)

    def note(self, records: int, dead: int) -> None:
        """Count a batch; raises TooManyDeadLettersError."""
        self.recent.extend([True] * dead + [False] * (records - dead))
        total = sum(self.recent)
        if total >= self.least and total > self.share * len(self.recent):
            raise TooManyDeadLettersError(f"{total} of the last {len(self.recent)} records")


@dataclass(frozen=True, slots=True)
class Line:
    """What the lanes of a consumer share."""

    service: str
    prefix: str
    topics: Mapping[str, Topic]
    table: RoutingTable
    transactor: Transactor
    heartbeat: Heartbeat
    dead_share: DeadShare


def export_figures(service: str, topics: Sequence[str]) -> None:
    """Export what a consumer of these topics counts, before there is anything to count."""
    metrics.export_from_zero(
        metrics.RECORDS, consumer=[service], topic=topics, outcome=["handled", "duplicate", "dead"]
    )
    metrics.export_from_zero(
        metrics.DEAD_LETTERS, consumer=[service], topic=topics, reason=["undecodable", "key", "handler"]
    )
    metrics.export_from_zero(metrics.MISPLACED_RECORDS, consumer=[service], topic=topics)


class Lane:
    """Handles one batch while the one before is published and acknowledged; never two batches out of order."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._sending: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._checked: set[TopicPartition] = set()
        self._dead_letter_log = DeadLetterLog(line.service)
        self._partition_watch = PartitionWatch(line.service)

    async def take(self, consumer: AIOKafkaConsumer, polled: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Handle what a poll brought; returns when it is committed, while it is still being published."""
        line = self._line
        self._idle.clear()
        try:
            with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="decode").time():
                batch = decode_batch(polled, line.topics, line.table.events)
            metrics.BATCH_SIZE.labels(consumer=line.service).observe(batch.size)
            self._partition_watch.look(batch.received, consumer.partitions_for_topic)
            outcome = await self._process(batch)
            await self.finish()
            self._sending = asyncio.create_task(self._send(consumer, batch, outcome), name=f"{line.service} sends")
        finally:
            self._dead_letter_log.flush()
            self._idle.set()

    async def finish(self) -> None:
        """Wait until what was handled is published and acknowledged; raises what stopped that."""
        if self._sending is not None:
            await asyncio.shield(self._sending)

    async def quiet(self) -> None:
        """Wait until the batch in hand is done with."""
        await self._idle.wait()
        await self.finish()

    def check(self) -> None:
        """Raise what stopped the sending of the last batch, if it has stopped."""
        if self._sending is not None and self._sending.done():
            self._sending.result()

    def forget(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions have come from another consumer, which may have left events unpublished."""
        self._checked.difference_update(partitions)

    def cancel(self) -> None:
        """Give up on sending; the outbox and the unacknowledged offsets keep what is lost here."""
        if self._sending is not None:
            self._sending.cancel()

    async def _process(self, batch: Batch) -> Outcome:
        line = self._line
        if not self._checked.issuperset(batch.positions):
            await self._publish_leftovers(batch.partitions)
            self._checked.update(batch.positions)
        letters = [self._letter(item.record, item.reason, "", kind=item.kind) for item in batch.undecodable]
        received = without_duplicates(batch.received)
        self._count(batch.received, "duplicate", but=received)
        if is_tracing():
            received = [traced(line.service, item) for item in received]
        try:
            entries = await self._handle(received)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its neighbours go on
            _log.warning("batch_split", consumer=line.service, events=len(received), error=type(error).__name__)
            entries = await self._handle_one_by_one(received, letters)
        line.dead_share.note(batch.size, len(letters))
        return Outcome(entries, letters)

    async def _handle(self, received: list[Received]) -> list[outbox.Entry]:
        """Commit the events that are new, for as long as it takes; raises what is not transient."""
        line = self._line
        left = received

        async def dispatch(work: Work) -> None:
            await line.table.dispatch(left, work)

        async def attempt() -> list[outbox.Entry]:
            nonlocal left
            while left:
                delivery = self._delivery(left)
                try:
                    with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="handle").time():
                        _, entries = await line.transactor.commit(dispatch, delivery)
                except DuplicateKey as error:
                    left = await self._unknown(left, delivery, error)
                else:
                    self._count(left, "handled")
                    return entries
            return []

        return await until_it_passes(attempt, name=line.service, on_wait=line.heartbeat.failing)

    async def _unknown(self, received: list[Received], delivery: Delivery, error: DuplicateKey) -> list[Received]:
        """The events that the inbox does not know; raises when it knows none, for then another key was the duplicate.

        One that it knows may have been committed by a process that died, or whose answer was lost: what it emitted
        has to leave before anything newer does.
        """
        known = await inbox.known(self._line.transactor.database, delivery.identities)
        if not known:
            raise KeyExistsError(f"{self._line.service}: {(error.details or {}).get('keyPattern')}") from error
        await self._publish_leftovers(delivery.partitions)
        left = [item for item in received if item.identity not in known]
        self._count(received, "duplicate", but=left)
        return left

    async def _handle_one_by_one(self, received: list[Received], letters: list[Record]) -> list[outbox.Entry]:
        entries: list[outbox.Entry] = []
        for item in received:
            try:
                entries += await self._handle([item])
            except Exception as error:  # noqa: BLE001 - it becomes a dead letter
                where, reason = traceback_of(error), reason_of(error)
                _log.error("event_dead", consumer=self._line.service, id=item.event.id, where=where)
                letters.append(self._letter(item.record, reason, where, kind="handler"))
        return entries

    async def _publish_leftovers(self, partitions: Sequence[str]) -> None:
        transactor = self._line.transactor

        async def attempt() -> None:
            while entries := await outbox.left_by(transactor.database, partitions):
                await transactor.publish(entries)
                metrics.OUTBOX_RELAYED.inc(len(entries))

        await self.finish()
        await until_it_passes(attempt, name=self._line.service, on_wait=self._line.heartbeat.failing)

    async def _send(self, consumer: AIOKafkaConsumer, batch: Batch, outcome: Outcome) -> None:
        """Publish, then acknowledge."""
        line = self._line

        async def publish() -> None:
            with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="publish").time():
                await line.transactor.publish(outcome.entries)

        await until_it_passes(publish, name=line.service, on_wait=line.heartbeat.failing)
        transactor = line.transactor
        parking = ParkingPublisher(transactor.publisher, transactor.database, transactor.clock)
        await keep(parking, outcome.letters)
        with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="offsets").time():
            await self._acknowledge(consumer, batch)
        line.heartbeat.well()

    async def _acknowledge(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        owned = consumer.assignment()
        offsets = {partition: offset for partition, offset in batch.positions.items() if partition in owned}
        # Where the partitions have moved on, their new owner reads these records again and finds them in the inbox.
        with contextlib.suppress(CommitFailedError, IllegalStateError):
            await consumer.commit(offsets)

    def _delivery(self, received: Sequence[Received]) -> Delivery:
        partitions = dict.fromkeys(f"{item.record.topic}/{item.record.partition}" for item in received)
        return Delivery([item.identity for item in received], list(partitions))

    def _letter(self, record: ConsumerRecord, reason: str, error: str, *, kind: str) -> Record:
        line = self._line
        topic = line.topics[record.topic].name
        metrics.DEAD_LETTERS.labels(consumer=line.service, topic=topic, reason=kind).inc()
        metrics.RECORDS.labels(consumer=line.service, topic=topic, outcome="dead").inc()
        self._dead_letter_log.note(record, topic, kind)
        return dead_letter(line.service, record, reason=reason, error=error, prefix=line.prefix)

    def _count(self, received: Sequence[Received], outcome: str, but: Sequence[Received] = ()) -> None:
        """Count the events of `received` that are not in `but`, which is a part of it."""
        topics = Counter(item.event.topic.name for item in received)
        topics.subtract(item.event.topic.name for item in but)
        for topic, number in topics.items():
            metrics.RECORDS.labels(consumer=self._line.service, topic=topic, outcome=outcome).inc(number)

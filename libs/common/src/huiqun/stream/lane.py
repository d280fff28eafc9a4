"""A lane: takes batches of its share of the partitions through handling, publishing and acknowledging."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from huiqun.kafka.publisher import Record
from huiqun.runtime.health import Heartbeat
from huiqun.stream.batch import (
    Batch,
    Polled,
    ReceivedEvent,
    decode_batch,
    find_contradicting,
    limit_batch,
    with_consumer_span,
    without_duplicates,
)
from huiqun.stream.breaker import PartitionId
from huiqun.stream.context import ConsumerContext
from huiqun.stream.dead_letters import DeadLetterLog, dead_letter_record, write_dead_letters
from huiqun.stream.handling import BatchHandling, HandledBatch, count_records
from huiqun.stream.partition_watch import PartitionWatch
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.telemetry import metrics
from huiqun.telemetry.tracing import is_tracing
from huiqun.work import outbox
from huiqun.work.parked import ParkingPublisher
from huiqun.work.retry import retry_forever

# aiokafka asks for the coordinator again and again, without a word; we say that we wait.
_COMMIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that becomes a dead letter: the kind of reason, the reason, and where an error came from."""

    record: ConsumerRecord
    kind: str
    reason: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a batch left to send: committed outbox entries and dead letters.

    Of a trial also the partition whose breaker is to be closed, or to stay open.
    """

    entries: list[outbox.OutboxEntry]
    letters: list[Record]
    passed: PartitionId | None = None
    failed: PartitionId | None = None


def export_consumer_metrics(service: str, topics: Sequence[str]) -> None:
    """Export what a consumer of these topics counts, before there is anything to count."""
    metrics.initialize_series(
        metrics.RECORDS, consumer=[service], topic=topics, outcome=["handled", "duplicate", "dead"]
    )
    metrics.initialize_series(
        metrics.DEAD_LETTERS, consumer=[service], topic=topics, reason=["undecodable", "key", "handler", "skipped"]
    )
    metrics.initialize_series(metrics.MISPLACED_RECORDS, consumer=[service], topic=topics)


class Lane:
    """Handles one batch while the one before is published and acknowledged; never two batches out of order."""

    def __init__(self, context: ConsumerContext, max_characters: int) -> None:
        """A batch has at most `max_characters` of text to judge."""
        self.heartbeat = Heartbeat()
        self._context = context
        self._max_characters = max_characters
        self._handling = BatchHandling(context, self.heartbeat, self._publish_leftovers)
        self._sending: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._relayed: set[TopicPartition] = set()
        self._dead_letter_log = DeadLetterLog(context.service)
        self._partition_watch = PartitionWatch(context.service)

    async def submit(self, consumer: AIOKafkaConsumer, polled: Polled, *, trial: bool = False) -> None:
        """Handle what a poll brought; returns when it is committed, while it is still being published.

        What does not fit into a batch is read again. A `trial` is one record of a partition whose breaker is open.
        """
        context = self._context
        self._idle.clear()
        try:
            taken = limit_batch(polled, self._max_characters)
            self._read_again(consumer, _beyond(polled, taken))
            with metrics.STAGE_SECONDS.labels(consumer=context.service, stage="decode").time():
                batch = decode_batch(taken, context.topics, context.table.events)
            metrics.BATCH_SIZE.labels(consumer=context.service).observe(batch.size)
            self._partition_watch.count_misplaced(batch.received, consumer.partitions_for_topic)
            batch, outcome = await self._process(consumer, batch, trial=trial)
            await self.join()
            self._sending = asyncio.create_task(self._send(consumer, batch, outcome), name=f"{context.service} sends")
        finally:
            self._dead_letter_log.flush()
            self._idle.set()

    async def join(self) -> None:
        """Wait until what was handled is published and acknowledged; raises what stopped that."""
        if self._sending is not None:
            await asyncio.shield(self._sending)

    async def wait_until_idle(self) -> None:
        """Wait until the batch in hand is done with."""
        await self._idle.wait()
        await self.join()

    def raise_failure(self) -> None:
        """Raise what stopped the sending of the last batch, if it has stopped."""
        if self._sending is not None and self._sending.done():
            self._sending.result()

    def reset_partitions(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions have come from another consumer, which may have left events unpublished."""
        self._relayed.difference_update(partitions)

    async def abandon(self) -> None:
        """Give up on sending; the outbox and the unacknowledged offsets keep what is lost here."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None
        self._relayed.clear()

    async def _process(self, consumer: AIOKafkaConsumer, batch: Batch, *, trial: bool) -> tuple[Batch, BatchOutcome]:
        """Have the batch handled; returns it without the records that a breaker has left for later."""
        context = self._context
        if not self._relayed.issuperset(batch.positions):
            await self._publish_leftovers(batch.partitions)
            self._relayed.update(batch.positions)
        rejected = [RejectedRecord(item.record, item.kind, item.reason) for item in batch.undecodable]
        wanted = self._without_skipped(batch.received, rejected)
        received = without_duplicates(wanted)
        rejected += map(_reject_contradicting, find_contradicting(wanted))
        count_records(context.service, wanted, "duplicate", but=received)
        if is_tracing():
            received = [with_consumer_span(context.service, item) for item in received]
        await context.table.prepare(received, context.transactor.clock.now())
        handled = await self._handling.handle(received, trial=trial)
        rejected += [RejectedRecord(each.item.record, "handler", each.reason, each.where) for each in handled.failed]
        rejected += map(_reject_contradicting, handled.contradicting.values())
        if handled.left:
            batch, rejected = self._without_left(consumer, batch, handled.left, rejected)
        letters = [self._letter(each) for each in rejected]
        return batch, _outcome(
            handled, letters, context.partition_id_of(next(iter(batch.positions))) if trial else None
        )

    def _without_skipped(
        self, received: Sequence[ReceivedEvent], rejected: list[RejectedRecord]
    ) -> list[ReceivedEvent]:
        """The events that no operator has asked to skip; the others are rejected, as unreadable records are anyway."""
        guard, kept = self._context.guard, []
        if not guard.has_rules:
            return list(received)
        for item in received:
            rule = guard.matching_rule(item, self._context.partition_id_of(item.record))
            if rule is None:
                kept.append(item)
            elif not isinstance(item.event, UnreadableRecord):
                rejected.append(RejectedRecord(item.record, "skipped", f"skipped by {rule.actor}"))
        return kept

    def _without_left(
        self,
        consumer: AIOKafkaConsumer,
        batch: Batch,
        left: Sequence[ReceivedEvent],
        rejected: Sequence[RejectedRecord],
    ) -> tuple[Batch, list[RejectedRecord]]:
        """The batch, and its rejected, up to the first record of each partition that is left, which is read again."""
        first: dict[TopicPartition, int] = {}
        for item in left:
            place = _partition_of(item.record)
            first[place] = min(item.record.offset, first.get(place, item.record.offset))
        self._read_again(consumer, first)
        positions = {**batch.positions, **first}
        reached = [each for each in rejected if each.record.offset < positions[_partition_of(each.record)]]
        return replace(batch, positions=positions), reached

    def _read_again(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            with contextlib.suppress(IllegalStateError):  # it has moved on, and its new owner reads it
                consumer.seek(partition, offset)

    async def _publish_leftovers(self, partitions: Sequence[str]) -> None:
        transactor = self._context.transactor

        async def attempt() -> None:
            while entries := await outbox.list_unpublished_entries(transactor.database, partitions):
                await transactor.publish(entries)
                metrics.OUTBOX_RELAYED.inc(len(entries))

        await self.join()
        await retry_forever(attempt, name=self._context.service, on_retry=self.heartbeat.mark_failing)

    async def _send(self, consumer: AIOKafkaConsumer, batch: Batch, outcome: BatchOutcome) -> None:
        """Publish, write the dead letters, and only then acknowledge, and have breakers open or close elsewhere."""
        context = self._context

        async def publish() -> None:
            with metrics.STAGE_SECONDS.labels(consumer=context.service, stage="publish").time():
                await context.transactor.publish(outcome.entries)

        async def acknowledge() -> None:
            with metrics.STAGE_SECONDS.labels(consumer=context.service, stage="offsets").time():
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await self._acknowledge(consumer, batch)

        async def settle() -> None:
            await context.guard.save_opened()
            if outcome.passed is not None:
                await context.guard.pass_trial(outcome.passed)
            if outcome.failed is not None:
                await context.guard.fail_trial(outcome.failed)

        transactor = context.transactor
        parking = ParkingPublisher(transactor.publisher, transactor.database, transactor.clock)
        await retry_forever(publish, name=context.service, on_retry=self.heartbeat.mark_failing)
        await write_dead_letters(parking, outcome.letters, self.heartbeat)
        await retry_forever(acknowledge, name=context.service, on_retry=self.heartbeat.mark_failing)
        await retry_forever(settle, name=context.service, on_retry=self.heartbeat.mark_failing)
        self.heartbeat.mark_healthy()

    async def _acknowledge(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        owned = consumer.assignment()
        offsets = {partition: offset for partition, offset in batch.positions.items() if partition in owned}
        # Where the partitions have moved on, their new owner reads these records again and finds them in the inbox.
        with contextlib.suppress(CommitFailedError, IllegalStateError):
            await consumer.commit(offsets)

    def _letter(self, rejected: RejectedRecord) -> Record:
        context = self._context
        topic = context.topics[rejected.record.topic].name
        metrics.DEAD_LETTERS.labels(consumer=context.service, topic=topic, reason=rejected.kind).inc()
        metrics.RECORDS.labels(consumer=context.service, topic=topic, outcome="dead").inc()
        self._dead_letter_log.add_record(rejected.record, topic, rejected.kind)
        return dead_letter_record(
            context.service, rejected.record, reason=rejected.reason, error=rejected.where, prefix=context.prefix
        )


def _reject_contradicting(item: ReceivedEvent) -> RejectedRecord:
    return RejectedRecord(item.record, "contradicting", "another content than was dealt with under the same identity")


def _beyond(polled: Polled, taken: Polled) -> dict[TopicPartition, int]:
    """Where each partition goes on of which not all that was polled is taken."""
    rest = {partition: records[len(taken.get(partition, ())) :] for partition, records in polled.items()}
    return {partition: records[0].offset for partition, records in rest.items() if records}


def _partition_of(record: ConsumerRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _outcome(handled: HandledBatch, letters: list[Record], tried: PartitionId | None) -> BatchOutcome:
    passed = tried if handled.count else None
    failed = tried if handled.failed else None
    return BatchOutcome(handled.entries, letters, passed, failed)

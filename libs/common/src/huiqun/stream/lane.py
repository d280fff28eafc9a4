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
    Received,
    contradictions,
    cut_batch,
    decode_batch,
    traced,
    without_duplicates,
)
from huiqun.stream.breaker import Place
from huiqun.stream.dead_letters import DeadLetterLog, dead_letter, keep
from huiqun.stream.handling import BatchHandling, Handled, count_records
from huiqun.stream.line import Line
from huiqun.stream.partition_watch import PartitionWatch
from huiqun.stream.unreadable import UnreadableRecord
from huiqun.telemetry import metrics
from huiqun.telemetry.tracing import is_tracing
from huiqun.work import outbox
from huiqun.work.parked import ParkingPublisher
from huiqun.work.retry import until_it_passes

# aiokafka asks for the coordinator again and again, without a word; we say that we wait.
_COMMIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that becomes a dead letter: the kind of reason, the reason, and where an error came from."""

    record: ConsumerRecord
    kind: str
    reason: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch left to send: committed outbox entries and dead letters.

    Of a trial also the partition whose breaker is to be closed, or to stay open.
    """

    entries: list[outbox.Entry]
    letters: list[Record]
    passed: Place | None = None
    failed: Place | None = None


def export_figures(service: str, topics: Sequence[str]) -> None:
    """Export what a consumer of these topics counts, before there is anything to count."""
    metrics.export_from_zero(
        metrics.RECORDS, consumer=[service], topic=topics, outcome=["handled", "duplicate", "dead"]
    )
    metrics.export_from_zero(
        metrics.DEAD_LETTERS, consumer=[service], topic=topics, reason=["undecodable", "key", "handler", "skipped"]
    )
    metrics.export_from_zero(metrics.MISPLACED_RECORDS, consumer=[service], topic=topics)


class Lane:
    """Handles one batch while the one before is published and acknowledged; never two batches out of order."""

    def __init__(self, line: Line, max_characters: int) -> None:
        """A batch has at most `max_characters` of text to judge."""
        self.heartbeat = Heartbeat()
        self._line = line
        self._max_characters = max_characters
        self._handling = BatchHandling(line, self.heartbeat, self._publish_leftovers)
        self._sending: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._checked: set[TopicPartition] = set()
        self._dead_letter_log = DeadLetterLog(line.service)
        self._partition_watch = PartitionWatch(line.service)

    async def take(self, consumer: AIOKafkaConsumer, polled: Polled, *, trial: bool = False) -> None:
        """Handle what a poll brought; returns when it is committed, while it is still being published.

        What does not fit into a batch is read again. A `trial` is one record of a partition whose breaker is open.
        """
        line = self._line
        self._idle.clear()
        try:
            taken = cut_batch(polled, self._max_characters)
            self._read_again(consumer, _beyond(polled, taken))
            with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="decode").time():
                batch = decode_batch(taken, line.topics, line.table.events)
            metrics.BATCH_SIZE.labels(consumer=line.service).observe(batch.size)
            self._partition_watch.look(batch.received, consumer.partitions_for_topic)
            batch, outcome = await self._process(consumer, batch, trial=trial)
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

    async def abandon(self) -> None:
        """Give up on sending; the outbox and the unacknowledged offsets keep what is lost here."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None
        self._checked.clear()

    async def _process(self, consumer: AIOKafkaConsumer, batch: Batch, *, trial: bool) -> tuple[Batch, Outcome]:
        """Have the batch handled; returns it without the records that a breaker has left for later."""
        line = self._line
        if not self._checked.issuperset(batch.positions):
            await self._publish_leftovers(batch.partitions)
            self._checked.update(batch.positions)
        dead = [Dead(item.record, item.kind, item.reason) for item in batch.undecodable]
        wanted = self._without_skipped(batch.received, dead)
        received = without_duplicates(wanted)
        dead += map(_contradicting, contradictions(wanted))
        count_records(line.service, wanted, "duplicate", but=received)
        if is_tracing():
            received = [traced(line.service, item) for item in received]
        received = await line.table.prepare(received, line.transactor.clock.now())
        handled = await self._handling.handle(received, trial=trial)
        dead += [Dead(each.item.record, "handler", each.reason, each.where) for each in handled.failed]
        dead += map(_contradicting, handled.contradicting.values())
        if handled.left:
            batch, dead = self._without_left(consumer, batch, handled.left, dead)
        letters = [self._letter(each) for each in dead]
        return batch, _outcome(handled, letters, line.place_of(next(iter(batch.positions))) if trial else None)

    def _without_skipped(self, received: Sequence[Received], dead: list[Dead]) -> list[Received]:
        """The events that no operator has asked to skip; the others are dead, as unreadable records are anyway."""
        guard, kept = self._line.guard, []
        if not guard.has_rules:
            return list(received)
        for item in received:
            rule = guard.matching_rule(item, self._line.place_of(item.record))
            if rule is None:
                kept.append(item)
            elif not isinstance(item.event, UnreadableRecord):
                dead.append(Dead(item.record, "skipped", f"skipped by {rule.actor}"))
        return kept

    def _without_left(
        self, consumer: AIOKafkaConsumer, batch: Batch, left: Sequence[Received], dead: Sequence[Dead]
    ) -> tuple[Batch, list[Dead]]:
        """The batch and its dead up to the first record of each partition that is left; from there it is read again."""
        first: dict[TopicPartition, int] = {}
        for item in left:
            place = _partition_of(item.record)
            first[place] = min(item.record.offset, first.get(place, item.record.offset))
        self._read_again(consumer, first)
        positions = {**batch.positions, **first}
        reached = [each for each in dead if each.record.offset < positions[_partition_of(each.record)]]
        return replace(batch, positions=positions), reached

    def _read_again(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            with contextlib.suppress(IllegalStateError):  # it has moved on, and its new owner reads it
                consumer.seek(partition, offset)

    async def _publish_leftovers(self, partitions: Sequence[str]) -> None:
        transactor = self._line.transactor

        async def attempt() -> None:
            while entries := await outbox.left_by(transactor.database, partitions):
                await transactor.publish(entries)
                metrics.OUTBOX_RELAYED.inc(len(entries))

        await self.finish()
        await until_it_passes(attempt, name=self._line.service, on_wait=self.heartbeat.failing)

    async def _send(self, consumer: AIOKafkaConsumer, batch: Batch, outcome: Outcome) -> None:
        """Publish, write the dead letters, and only then acknowledge, and have breakers open or close elsewhere."""
        line = self._line

        async def publish() -> None:
            with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="publish").time():
                await line.transactor.publish(outcome.entries)

        async def acknowledge() -> None:
            with metrics.STAGE_SECONDS.labels(consumer=line.service, stage="offsets").time():
                await asyncio.wait_for(self._acknowledge(consumer, batch), _COMMIT_SECONDS)

        async def settle() -> None:
            await line.guard.save()
            if outcome.passed is not None:
                await line.guard.pass_trial(outcome.passed)
            if outcome.failed is not None:
                await line.guard.fail_trial(outcome.failed)

        transactor = line.transactor
        parking = ParkingPublisher(transactor.publisher, transactor.database, transactor.clock)
        await until_it_passes(publish, name=line.service, on_wait=self.heartbeat.failing)
        await keep(parking, outcome.letters, self.heartbeat)
        await until_it_passes(acknowledge, name=line.service, on_wait=self.heartbeat.failing)
        await until_it_passes(settle, name=line.service, on_wait=self.heartbeat.failing)
        self.heartbeat.well()

    async def _acknowledge(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        owned = consumer.assignment()
        offsets = {partition: offset for partition, offset in batch.positions.items() if partition in owned}
        # Where the partitions have moved on, their new owner reads these records again and finds them in the inbox.
        with contextlib.suppress(CommitFailedError, IllegalStateError):
            await consumer.commit(offsets)

    def _letter(self, dead: Dead) -> Record:
        line = self._line
        topic = line.topics[dead.record.topic].name
        metrics.DEAD_LETTERS.labels(consumer=line.service, topic=topic, reason=dead.kind).inc()
        metrics.RECORDS.labels(consumer=line.service, topic=topic, outcome="dead").inc()
        self._dead_letter_log.note(dead.record, topic, dead.kind)
        return dead_letter(line.service, dead.record, reason=dead.reason, error=dead.where, prefix=line.prefix)


def _contradicting(item: Received) -> Dead:
    return Dead(item.record, "contradicting", "another content than was dealt with under the same identity")


def _beyond(polled: Polled, taken: Polled) -> dict[TopicPartition, int]:
    """Where each partition goes on of which not all that was polled is taken."""
    rest = {partition: records[len(taken.get(partition, ())) :] for partition, records in polled.items()}
    return {partition: records[0].offset for partition, records in rest.items() if records}


def _partition_of(record: ConsumerRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _outcome(handled: Handled, letters: list[Record], tried: Place | None) -> Outcome:
    passed = tried if handled.count else None
    failed = tried if handled.failed else None
    return Outcome(handled.entries, letters, passed, failed)

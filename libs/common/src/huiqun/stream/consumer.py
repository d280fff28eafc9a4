"""The batch consumer: poll, decode, handle in one transaction, publish, acknowledge."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from huiqun.contracts.topics import Topic
from huiqun.runtime.health import Heartbeat
from huiqun.store import DuplicateKey
from huiqun.stream import inbox, outbox
from huiqun.stream.batch import Batch, Received, decode_batch, traced, without_duplicates
from huiqun.stream.dead_letters import TooManyDeadLettersError, dead_letter, keep, traceback_of
from huiqun.stream.publisher import KafkaOptions, Record
from huiqun.stream.retry import until_it_passes
from huiqun.stream.routes import Route, RoutingTable
from huiqun.stream.transactor import Delivery, Transactor
from huiqun.stream.work import Work
from huiqun.telemetry import metrics
from huiqun.telemetry.tracing import is_tracing

_log = structlog.get_logger(__name__)

_POLL_MILLISECONDS = 500
_FINISH_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How large a batch may grow, and which share of the last `window` records may be dead before it stops."""

    max_batch: int = 500
    window: int = 1_000
    max_dead_share: float = 0.5
    min_dead: int = 100


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a batch left to send: committed outbox entries and dead letters."""

    entries: list[outbox.Entry]
    letters: list[Record]


class BatchConsumer(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped here
    """One consumer group of a service; every event has its effect once, however often it is delivered."""

    def __init__(
        self,
        service: str,
        routes: Sequence[Route],
        transactor: Transactor,
        kafka: KafkaOptions,
        options: ConsumerOptions = ConsumerOptions(),
    ) -> None:
        self.name = service
        self.heartbeat = Heartbeat()
        self._table = RoutingTable(routes)
        self._transactor = transactor
        self._kafka = kafka
        self._options = options
        self._topics: dict[str, Topic] = {kafka.prefix + topic.name: topic for topic in self._table.topics}
        self._recent: deque[bool] = deque(maxlen=options.window)
        self._sending: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._unchecked: set[TopicPartition] = set()
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish the batch in hand and leave the group."""
        consumer = await until_it_passes(self._connect, name=self.name, on_wait=self.heartbeat.failing)
        self._consumer = consumer
        try:
            while not stop.is_set():
                self.heartbeat.beat()
                polled = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=self._options.max_batch)
                self._check_sending()
                if polled:
                    await self._take(polled)
            await self._finish_sending()
        finally:
            await self._leave(consumer)

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap,
            group_id=f"{self._kafka.prefix}huiqun.{self.name}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._kafka.session_timeout_milliseconds,
            heartbeat_interval_ms=self._kafka.session_timeout_milliseconds // 3,
            rebalance_timeout_ms=30_000,
            # The heartbeat runs beside the batch, so a batch that waits for the store keeps its partitions.
            max_poll_interval_ms=86_400_000,
            metadata_max_age_ms=30_000,
        )
        consumer.subscribe(list(self._topics), listener=self)
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let the batch in hand finish before another consumer takes its partitions."""
        if revoked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet(), _FINISH_SECONDS)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Note that a former owner may have left events of these partitions unpublished."""
        self._unchecked |= set(assigned)

    async def _quiet(self) -> None:
        await self._idle.wait()
        await self._finish_sending()

    async def _take(self, polled: dict[TopicPartition, list[object]]) -> None:
        self._idle.clear()
        try:
            with metrics.STAGE_SECONDS.labels(consumer=self.name, stage="decode").time():
                batch = decode_batch(polled, self._topics, self._table.events)
            metrics.BATCH_SIZE.labels(consumer=self.name).observe(batch.size)
            outcome = await self._process(batch)
            await self._finish_sending()
            self._sending = asyncio.create_task(self._send(batch, outcome), name=f"{self.name} sends")
        finally:
            self._idle.set()

    async def _process(self, batch: Batch) -> _Outcome:
        if self._unchecked:
            await self._publish_leftovers(batch.partitions)
            self._unchecked.clear()
        letters = [self._letter(item.record, item.reason, "", kind="undecodable") for item in batch.undecodable]
        received = without_duplicates(batch.received)
        self._count(batch.received, "duplicate", len(batch.received) - len(received))
        if is_tracing():
            received = [traced(self.name, item) for item in received]
        try:
            entries = await self._handle(received)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its neighbours go on
            _log.warning("batch_split", consumer=self.name, events=len(received), error=type(error).__name__)
            entries = await self._handle_one_by_one(received, letters)
        self._watch(batch.size, len(letters))
        return _Outcome(entries, letters)

    async def _handle(self, received: list[Received]) -> list[outbox.Entry]:
        """Commit the events that are new, for as long as it takes; raises what is not transient."""
        if not received:
            return []
        left = received

        async def dispatch(work: Work) -> None:
            await self._table.dispatch(left, work)

        async def attempt() -> list[outbox.Entry]:
            nonlocal left
            while left:
                delivery = self._delivery(left)
                try:
                    with metrics.STAGE_SECONDS.labels(consumer=self.name, stage="handle").time():
                        _, entries = await self._transactor.commit(dispatch, delivery)
                except DuplicateKey:
                    left = await self._unknown(left, delivery)
                else:
                    self._count(left, "handled", len(left))
                    return entries
            return []

        return await until_it_passes(attempt, name=self.name, on_wait=self.heartbeat.failing)

    async def _unknown(self, received: list[Received], delivery: Delivery) -> list[Received]:
        """The events that the inbox does not know; raises when it knows none, for then something else was a duplicate.

        One that it knows may have been committed by a process that died, or whose answer was lost: what it emitted
        has to leave before anything newer does.
        """
        known = await inbox.known(self._transactor.database, delivery.consumer, delivery.identities)
        if not known:
            raise InboxDisagreesError(f"{self.name}: a handler wrote a key that exists")
        await self._publish_leftovers(delivery.partitions)
        self._count(received, "duplicate", len(known))
        return [item for item in received if item.event.identity not in known]

    async def _handle_one_by_one(self, received: list[Received], letters: list[Record]) -> list[outbox.Entry]:
        entries: list[outbox.Entry] = []
        for item in received:
            try:
                entries += await self._handle([item])
            except Exception as error:  # noqa: BLE001 - it becomes a dead letter
                _log.exception("event_dead", consumer=self.name, event=item.event.id, type=item.event.type)
                reason = f"{type(error).__name__}: {error}"
                letters.append(self._letter(item.record, reason, traceback_of(error), kind="handler"))
        return entries

    async def _publish_leftovers(self, partitions: Sequence[str]) -> None:
        async def attempt() -> None:
            while entries := await outbox.left_by(self._transactor.database, partitions):
                await self._transactor.publish(entries)
                metrics.OUTBOX_RELAYED.inc(len(entries))

        await self._finish_sending()
        await until_it_passes(attempt, name=self.name, on_wait=self.heartbeat.failing)

    async def _send(self, batch: Batch, outcome: _Outcome) -> None:
        """Publish, then acknowledge; runs beside the next batch's handler, but never beside its own successor."""

        async def publish() -> None:
            with metrics.STAGE_SECONDS.labels(consumer=self.name, stage="publish").time():
                await self._transactor.publish(outcome.entries)

        await until_it_passes(publish, name=self.name, on_wait=self.heartbeat.failing)
        await keep(self._transactor.publisher, outcome.letters)
        await self._acknowledge(batch)

    async def _acknowledge(self, batch: Batch) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        owned = consumer.assignment()
        offsets = {partition: offset for partition, offset in batch.positions.items() if partition in owned}
        try:
            with metrics.STAGE_SECONDS.labels(consumer=self.name, stage="offsets").time():
                await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions have moved on: their new owner reads these records again and finds them in the inbox.
            _log.info("offsets_not_taken", consumer=self.name, error=repr(error)[:200])
        for partition, offset in offsets.items():
            if (end := consumer.highwater(partition)) is not None:
                metrics.CONSUMER_LAG.labels(
                    consumer=self.name, topic=self._topics[partition.topic].name, partition=partition.partition
                ).set(max(end - offset, 0))

    def _check_sending(self) -> None:
        """Raise here what stopped the sending of the last batch."""
        if self._sending is not None and self._sending.done():
            self._sending.result()

    async def _finish_sending(self) -> None:
        if self._sending is not None:
            await asyncio.shield(self._sending)

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        if self._sending is not None and not self._sending.done():
            self._sending.cancel()
        self._consumer = None
        await consumer.stop()

    def _delivery(self, received: Sequence[Received]) -> Delivery:
        partitions = dict.fromkeys(f"{item.record.topic}/{item.record.partition}" for item in received)
        return Delivery(self.name, [item.event.identity for item in received], list(partitions))

    def _letter(self, record: object, reason: str, error: str, *, kind: str) -> Record:
        letter = dead_letter(self.name, record, reason=reason, error=error, prefix=self._kafka.prefix)
        metrics.DEAD_LETTERS.labels(consumer=self.name, topic=record.topic, reason=kind).inc()  # type: ignore[attr-defined]
        return letter

    def _count(self, received: Sequence[Received], outcome: str, number: int) -> None:
        if number:
            topic = received[0].event.topic.name
            metrics.RECORDS.labels(consumer=self.name, topic=topic, outcome=outcome).inc(number)

    def _watch(self, size: int, dead: int) -> None:
        self._recent.extend([True] * dead + [False] * (size - dead))
        total = sum(self._recent)
        if total >= self._options.min_dead and total > self._options.max_dead_share * len(self._recent):
            raise TooManyDeadLettersError(f"{self.name}: {total} of the last {len(self._recent)} records")
        if not dead:
            self.heartbeat.well()


class InboxDisagreesError(RuntimeError):
    """A unique key was violated although none of the events had been dealt with: the handler's own key."""

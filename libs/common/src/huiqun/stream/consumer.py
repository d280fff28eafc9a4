"""The batch consumer of a service: one member of its group, reading in lanes."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from huiqun.kafka import KafkaOptions
from huiqun.kafka.refusals import NOT_AUTHORIZED, describe_missing_rights, explain_refusal
from huiqun.runtime.health import CombinedHeartbeat
from huiqun.runtime.waiting import run_in_own_task, wait_for_stop
from huiqun.stream.batch import Polled
from huiqun.stream.context import ConsumerContext
from huiqun.stream.guard import PartitionGuard
from huiqun.stream.lane import Lane, export_consumer_metrics
from huiqun.stream.positions import consumer_group_of
from huiqun.stream.routes import Route, RoutingTable
from huiqun.work import Transactor
from huiqun.work.retry import retry_forever

_POLL_MILLISECONDS = 250
_FINISH_SECONDS = 20.0
_LEAVE_SECONDS = 1.5
_REBALANCE_SECONDS = 2.0
_REFUSED_SECONDS = 1.0
_NO_PARTITION = TopicPartition("", 0)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How large a batch may grow, and how many batches are in hand at once.

    Lanes share the partitions by number, so a group stays in one lane and in order. While one lane waits for the
    store, another uses the processor. A batch has at most `max_batch` records and `max_characters` of text. A partition
    is paused when handlers fail on more than `max_failed_share` of it; then one record is tried every `trial_seconds`.
    """

    max_batch: int = 500
    max_characters: int = 100_000
    lanes: int = 2
    max_failed_share: float = 0.5
    trial_seconds: float = 60.0


class BatchConsumer(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """Every event has its effect once, however often it is delivered."""

    def __init__(
        self,
        service: str,
        routes: Sequence[Route],
        transactor: Transactor,
        kafka: KafkaOptions,
        options: ConsumerOptions = ConsumerOptions(),
    ) -> None:
        self.name = service
        self.group = consumer_group_of(kafka, service)
        self._kafka = kafka
        self._options = options
        self.heartbeat = CombinedHeartbeat()
        table = RoutingTable(routes)
        limits = options.max_failed_share, options.trial_seconds
        self._guard = PartitionGuard(service, transactor.database, transactor.clock, self.heartbeat, limits)
        self._context = ConsumerContext(
            service=service,
            prefix=kafka.prefix,
            topics={kafka.prefix + topic.name: topic for topic in table.topics},
            table=table,
            transactor=transactor,
            guard=self._guard,
        )
        self.reads = tuple(topic.name for topic in table.topics)
        self._lanes = [Lane(self._context, options.max_characters) for _ in range(options.lanes)]
        for lane in self._lanes:
            self.heartbeat.include(lane.heartbeat)
        self._consumer: AIOKafkaConsumer | None = None
        export_consumer_metrics(service, self.reads)

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this consumer's at the moment; none while it is not connected."""
        return frozenset() if self._consumer is None else frozenset(self._consumer.assignment())

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish the batches in hand and leave the group.

        aiokafka gives up on its group after some errors of the broker that pass; then we join it anew.
        """

        async def attempt() -> None:
            if not stop.is_set():
                await self._consume(stop)

        await retry_forever(self._guard.refresh, name=self.name, on_retry=self.heartbeat.mark_failing)
        await retry_forever(attempt, name=self.name, on_retry=self.heartbeat.mark_failing)

    async def _consume(self, stop: asyncio.Event) -> None:
        """Join the group, and read until stopped; raises what ended that."""
        consumer = await self._connect()
        self._consumer = consumer
        running = [
            asyncio.create_task(self._turn(consumer, number, stop), name=f"{self.name} lane {number}")
            for number in range(len(self._lanes))
        ]
        running.append(asyncio.create_task(self._guard.run(stop), name=f"{self.name} guard"))
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for lane in self._lanes:
                await lane.abandon()
            self._consumer = None
            with contextlib.suppress(TimeoutError):
                await run_in_own_task(consumer.stop(), _LEAVE_SECONDS)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let the batches in hand finish before another consumer takes their partitions."""
        if revoked:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FINISH_SECONDS):
                    await asyncio.gather(*(lane.wait_until_idle() for lane in self._lanes))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Have the lanes look for what a former owner may have left unpublished."""
        self._guard.set_assigned(map(self._context.partition_id_of, assigned))
        for lane in self._lanes:
            lane.reset_partitions(assigned)

    async def _turn(self, consumer: AIOKafkaConsumer, number: int, stop: asyncio.Event) -> None:
        """Poll and handle this lane's partitions until stopped; of those whose breaker is open, one record at times."""
        lane, guard, has_polled, refused = self._lanes[number], self._guard, False, False
        while not stop.is_set():
            lane.heartbeat.beat()
            lane.raise_failure()
            mine = [each for each in consumer.assignment() if each.partition % len(self._lanes) == number]
            try:
                for each in [each for each in mine if guard.is_trial_due(self._context.partition_id_of(each))]:
                    await self._try(consumer, lane, each, stop)
                mine = [each for each in mine if not guard.is_open(self._context.partition_id_of(each))]
                polled = await poll_partitions(consumer, mine, _POLL_MILLISECONDS, self._options.max_batch)
            except NOT_AUTHORIZED as error:
                refusal = describe_missing_rights(error, self._kafka)
                lane.heartbeat.mark_failing(refusal)
                if not refused:
                    _log.warning("poll_refused", consumer=self.name, error=str(refusal))
                refused = True
                await wait_for_stop(stop, _REFUSED_SECONDS)
                continue
            if not has_polled or (refused and mine):
                has_polled, refused = True, False
                lane.heartbeat.mark_healthy()
            if polled:
                await lane.submit(consumer, polled)
            elif not mine:
                await wait_for_stop(stop, _POLL_MILLISECONDS / 1000)
        await lane.join()

    async def _try(self, consumer: AIOKafkaConsumer, lane: Lane, paused: TopicPartition, stop: asyncio.Event) -> None:
        """Try one record of a partition whose breaker is open; those that no handler gets to see do not count."""
        place = self._context.partition_id_of(paused)
        while self._guard.is_trial_due(place) and not stop.is_set():
            polled = await poll_partitions(consumer, [paused], 0, 1)
            if not polled:
                return
            lane.heartbeat.beat()
            await lane.submit(consumer, polled, trial=True)
            await lane.join()

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._kafka.client_arguments(),
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._kafka.session_timeout_milliseconds,
            heartbeat_interval_ms=self._kafka.session_timeout_milliseconds // 3,
            rebalance_timeout_ms=30_000,
            # The heartbeat runs beside the batch, so a batch that waits for the store keeps its partitions.
            max_poll_interval_ms=86_400_000,
            metadata_max_age_ms=self._kafka.metadata_age_milliseconds,
            fetch_max_wait_ms=self._kafka.fetch_wait_milliseconds,
        )
        consumer.subscribe(list(self._context.topics), listener=self)
        try:
            async with explain_refusal(self._kafka):
                await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer


async def poll_partitions(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], milliseconds: int, most: int
) -> Polled:
    """What has come of these partitions; nothing where one of them was taken away while we waited.

    Without partitions it only asks how the group is, and raises what keeps us out of it: until somebody hears that,
    aiokafka does not try again.
    """
    polled: Polled = {}
    with contextlib.suppress(IllegalStateError, TimeoutError):
        # aiokafka waits for the end of a rebalance, and so for as long as the broker is away in the middle of one.
        async with asyncio.timeout(_REBALANCE_SECONDS):
            if partitions:
                polled = await consumer.getmany(*partitions, timeout_ms=milliseconds, max_records=most)
            else:
                await consumer.getmany(_NO_PARTITION, timeout_ms=0)
    return polled

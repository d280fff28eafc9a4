"""The batch consumer of a service: one member of its group, reading in lanes."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.waiting import wait_for_stop
from huiqun.stream.lane import DeadShare, Lane, Line
from huiqun.stream.publisher import KafkaOptions
from huiqun.stream.refusals import explained
from huiqun.stream.retry import until_it_passes
from huiqun.stream.routes import Route, RoutingTable
from huiqun.stream.transactor import Transactor

_POLL_MILLISECONDS = 250
_FINISH_SECONDS = 20.0
_LEAVE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How large a batch may grow, and how many batches are in hand at once.

    Lanes share the partitions by number, so a group stays in one lane and in order. While one lane waits for the
    store, another uses the processor.
    """

    max_batch: int = 500
    lanes: int = 2
    max_dead_share: float = 0.5


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
        self.heartbeat = Heartbeat()
        self._kafka = kafka
        self._options = options
        table = RoutingTable(routes)
        line = Line(
            service=service,
            prefix=kafka.prefix,
            topics={kafka.prefix + topic.name: topic for topic in table.topics},
            table=table,
            transactor=transactor,
            heartbeat=self.heartbeat,
            dead_share=DeadShare(options.max_dead_share),
        )
        self.reads = tuple(topic.name for topic in table.topics)
        self._topics = tuple(line.topics)
        self._lanes = [Lane(line) for _ in range(options.lanes)]

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish the batches in hand and leave the group."""
        consumer = await until_it_passes(self._connect, name=self.name, on_wait=self.heartbeat.failing)
        self.heartbeat.well()
        turning = [
            asyncio.create_task(self._turn(consumer, number, stop), name=f"{self.name} lane {number}")
            for number in range(len(self._lanes))
        ]
        try:
            await asyncio.gather(*turning)
        finally:
            for task in turning:
                task.cancel()
            await asyncio.gather(*turning, return_exceptions=True)
            for lane in self._lanes:
                lane.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(consumer.stop(), _LEAVE_SECONDS)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let the batches in hand finish before another consumer takes their partitions."""
        if revoked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*(lane.quiet() for lane in self._lanes)), _FINISH_SECONDS)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Have the lanes look for what a former owner may have left unpublished."""
        for lane in self._lanes:
            lane.forget(assigned)

    async def _turn(self, consumer: AIOKafkaConsumer, number: int, stop: asyncio.Event) -> None:
        """Poll and handle this lane's partitions until stopped."""
        lane = self._lanes[number]
        while not stop.is_set():
            self.heartbeat.beat()
            lane.check()
            mine = [each for each in consumer.assignment() if each.partition % len(self._lanes) == number]
            if not mine:
                await wait_for_stop(stop, _POLL_MILLISECONDS / 1000)
                continue
            try:
                polled = await consumer.getmany(
                    *mine, timeout_ms=_POLL_MILLISECONDS, max_records=self._options.max_batch
                )
            except IllegalStateError:  # a partition was taken away while we waited
                continue
            if polled:
                await lane.take(consumer, polled)
        await lane.finish()

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._kafka.client_arguments(),
            group_id=f"{self._kafka.prefix}huiqun.{self.name}",
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
        consumer.subscribe(list(self._topics), listener=self)
        try:
            async with explained(self._kafka):
                await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

"""How far a consumer is behind, as the broker knows: also while nothing is acknowledged; gone with the partition."""

import asyncio
import contextlib
from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from huiqun.kafka import KafkaOptions
from huiqun.runtime.health import Heartbeat
from huiqun.runtime.waiting import run_in_own_task, wait_for_stop
from huiqun.stream.consumer import BatchConsumer
from huiqun.stream.positions import read_end_offsets
from huiqun.telemetry import metrics

_log = structlog.get_logger(__name__)

_EVERY_SECONDS = 2.0
_TURN_SECONDS = 3.0
_CLOSE_SECONDS = 1.0


class LagMonitor:
    """Measures the partitions that the consumer owns every two seconds, by a connection of its own.

    Where the broker does not answer there is no figure rather than an old one; that it is away, readiness says.
    """

    name = "lag"

    def __init__(self, consumer: BatchConsumer, kafka: KafkaOptions) -> None:
        """Watch `consumer`, which reads by the same options."""
        self.heartbeat = Heartbeat()
        self._consumer = consumer
        self._kafka = kafka
        self._reader: AIOKafkaConsumer | None = None
        self._shown: set[TopicPartition] = set()
        self._is_blind = False

    async def run(self, stop: asyncio.Event) -> None:
        """Measure until `stop` is set; no figure is left behind."""
        try:
            while not await wait_for_stop(stop, _EVERY_SECONDS):
                self.heartbeat.beat()
                await self._turn()
        finally:
            self._show({})
            await self._close()

    async def _turn(self) -> None:
        try:
            lags = await run_in_own_task(self._measure(), _TURN_SECONDS)
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            if not self._is_blind:
                _log.warning("lag_unknown", consumer=self._consumer.name, error=type(error).__name__)
            self._is_blind = True
            self._show({})
            await self._close()
        else:
            self._is_blind = False
            self._show(lags)

    async def _measure(self) -> dict[TopicPartition, int]:
        """The lag of each partition that the consumer owns, in records."""
        owned = self._consumer.assignment
        if not owned:
            return {}
        reader = await self._open()
        if reader.assignment() != owned:
            reader.assign(list(owned))
            reader.pause(*owned)
        ends = await read_end_offsets(reader, owned)
        committed = dict(zip(owned, await asyncio.gather(*(reader.committed(each) for each in owned)), strict=True))
        if unread := [each for each, offset in committed.items() if offset is None]:
            committed.update(await reader.beginning_offsets(unread))  # that is where the consumer begins
        return {each: max(ends[each] - committed[each], 0) for each in owned}

    async def _open(self) -> AIOKafkaConsumer:
        if self._reader is None:
            # It names the group to ask for its offsets; as partitions are assigned by hand, it never joins.
            reader = AIOKafkaConsumer(
                **self._kafka.client_arguments(),
                group_id=self._consumer.group,
                enable_auto_commit=False,
                auto_offset_reset="latest",
                fetch_max_wait_ms=self._kafka.fetch_wait_milliseconds,
                max_partition_fetch_bytes=1,
                metadata_max_age_ms=self._kafka.metadata_age_milliseconds,
            )
            self._reader = reader
            await reader.start()
        return self._reader

    async def _close(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            with contextlib.suppress(KafkaError, OSError):
                await run_in_own_task(reader.stop(), _CLOSE_SECONDS)

    def _show(self, lags: Mapping[TopicPartition, int]) -> None:
        """Export these figures and no others."""
        for partition in self._shown - lags.keys():
            metrics.CONSUMER_LAG.remove(*self._labels(partition))
        for partition, lag in lags.items():
            metrics.CONSUMER_LAG.labels(*self._labels(partition)).set(lag)
        self._shown = set(lags)

    def _labels(self, partition: TopicPartition) -> tuple[str, str, str]:
        topic = partition.topic.removeprefix(self._kafka.prefix)
        return self._consumer.name, topic, str(partition.partition)

"""Notices senders that choose partitions otherwise than Kafka's own clients do."""

import time
from collections.abc import Callable, Sequence

import structlog
from aiokafka import ConsumerRecord

from huiqun.kafka.publisher import choose_partition
from huiqun.stream.batch import ReceivedEvent
from huiqun.telemetry import metrics

_log = structlog.get_logger(__name__)

_BETWEEN_LINES_SECONDS = 60.0


class PartitionWatch:
    """Compares each record's partition with the one that murmur2 gives its key.

    Order within a group rests on two things: all its records stand on one partition of a topic, and on the same number
    in all topics, because replicas and lanes share the partitions by number. A sender that hashes otherwise (librdkafka
    does unless it is told `partitioner=murmur2_random`) breaks the second at once, and the first where another sender
    writes to the same topic. Nothing is remembered of keys. After partitions are added, what had been written before
    counts as well: its group does stand on two partitions then.
    """

    def __init__(self, service: str) -> None:
        """Watch what `service` consumes."""
        self._service = service
        self._unreported: dict[str, int] = {}
        self._quiet_until: dict[str, float] = {}

    def count_misplaced(
        self, received: Sequence[ReceivedEvent], partitions_of: Callable[[str], set[int] | None]
    ) -> None:
        """Count the records that stand elsewhere; `partitions_of` a topic are known from the broker, or None.

        The first one of a topic has a log line, and then one a minute, with how many there were since the last.
        """
        counts: dict[str, int] = {}
        for item in received:
            record = item.record
            if record.topic not in counts:
                counts[record.topic] = len(partitions_of(record.topic) or ())
            count = counts[record.topic]
            if count and (expected := choose_partition(record.key, count)) != record.partition:
                topic = item.event.topic.name
                metrics.MISPLACED_RECORDS.labels(consumer=self._service, topic=topic).inc()
                self._report(topic, record, expected)

    def _report(self, topic: str, record: ConsumerRecord, expected: int) -> None:
        self._unreported[topic] = self._unreported.get(topic, 0) + 1
        if time.monotonic() < self._quiet_until.get(topic, 0.0):
            return
        self._quiet_until[topic] = time.monotonic() + _BETWEEN_LINES_SECONDS
        place = {"topic": topic, "partition": record.partition, "offset": record.offset}
        _log.error("record_misplaced", **place, expected_partition=expected, records=self._unreported.pop(topic))

"""Kafka out: records that the broker has acknowledged, or an error."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    RecordListTooLargeError,
    UnknownProducerId,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.envelope import Event
from huiqun.kafka.presence import check_topics_exist
from huiqun.kafka.refusals import explain_refusal
from huiqun.kafka.security import UNSECURED, KafkaSecurity
from huiqun.runtime.waiting import run_in_own_task
from huiqun.telemetry import metrics

# Apache Kafka's brokers refuse records over 1 MiB unless they are told otherwise.
_MAX_EVENT_BYTES = 1_000_000
# A broker that lost the end of its log, say in a power cut, misses what an idempotent producer sent before, and takes
# nothing from it ever after.
_BEYOND_REPAIR = (OutOfOrderSequenceNumber, UnknownProducerId, InvalidProducerEpoch, ProducerFenced, ProducerClosed)
# Larger than the topic takes (max.message.bytes), or than a whole segment of it.
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_DISCARD_SECONDS = 2.0
# How long a topic's limit is taken for what it was: after that, somebody may have raised it.
_LIMIT_SECONDS = 60.0
CONTENT_TYPE = ("content-type", b"application/cloudevents+json")


class EventTooLargeError(ValueError):
    """The event is larger than a broker takes: once committed, it could never leave the outbox."""


class RecordsTooLargeError(MessageSizeTooLargeError):  # type: ignore[misc] # aiokafka is untyped
    """The broker takes these records for their topics in no way; all others of the same call are published.

    `refused` maps a record's place in the sequence that was to be published to its size in bytes.
    """

    def __init__(self, refused: Mapping[int, int]) -> None:
        """Name the refused records."""
        super().__init__(f"{len(refused)} records, the largest of {max(refused.values())} bytes")
        self.refused = dict(refused)


class Record(NamedTuple):
    """What goes to Kafka: a logical topic's name, key, value and headers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to reach the broker.

    `prefix` stands before every topic and consumer group, so that environments share a cluster. `idempotent` lets
    the broker drop what the client's own retries repeat; Apache Kafka can, Tansu refuses it. aiokafka has one fetch
    under way per broker, so a partition that was busy when it began waits for it to end: `fetch_wait_milliseconds` is
    how long the broker may hold a fetch that finds nothing, and so the most that an event is delayed.
    `metadata_age_milliseconds` is how long a consumer may know nothing of a topic that was created after it started.
    """

    bootstrap: str
    prefix: str = ""
    idempotent: bool = True
    session_timeout_milliseconds: int = 10_000
    fetch_wait_milliseconds: int = 10
    metadata_age_milliseconds: int = 30_000
    security: KafkaSecurity = UNSECURED

    def client_arguments(self) -> dict[str, Any]:
        """Where the broker is and how to sign in there: what each of aiokafka's clients is made with."""
        return {"bootstrap_servers": self.bootstrap, **self.security.arguments()}


def record_headers(traceparent: str | None) -> tuple[tuple[str, bytes], ...]:
    """The headers of an event's record."""
    return (CONTENT_TYPE,) if traceparent is None else (CONTENT_TYPE, ("traceparent", traceparent.encode()))


def event_record(event: Event) -> Record:
    """An event as a record keyed by its subject; raises EventTooLargeError before it is too late to refuse it."""
    value = encode_event(event)
    if len(value) > _MAX_EVENT_BYTES:
        raise EventTooLargeError(f"{event.type} of {len(value)} bytes; the limit is {_MAX_EVENT_BYTES}")
    return Record(event.topic.name, event.subject.encode(), value, record_headers(event.traceparent))


@dataclass(slots=True)
class _Queue:
    """Records of one partition that wait to be sent, each with its place in what the caller gave."""

    topic: str
    partition: int
    waiting: deque[tuple[int, Record]] = field(default_factory=deque)


class _Limits:
    """What brokers have lately refused as too large, by topic.

    A topic's limit is one for batches, so many small records that travel together can break it as well as a large
    one. It is found by trying: asking for it needs a privilege that a producer often does not have.
    """

    def __init__(self) -> None:
        self._refused: dict[str, tuple[int, float]] = {}

    def note(self, topic: str, size: int) -> None:
        """Keep in mind that a batch of so many bytes was refused."""
        self._refused[topic] = (min(size, self.smallest_refused(topic) or size), time.monotonic() + _LIMIT_SECONDS)

    def smallest_refused(self, topic: str) -> int | None:
        """The size in bytes from which on the topic refuses batches; None where it has lately taken all."""
        size, until = self._refused.get(topic, (0, 0.0))
        return size if time.monotonic() < until else None


class Publisher:
    """A producer that returns only when all in-sync replicas have what it sent."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._limits = _Limits()

    async def start(self) -> None:
        """Connect to the broker; raises KafkaError where it does not answer."""
        producer = AIOKafkaProducer(
            **self._options.client_arguments(),
            acks="all",
            enable_idempotence=self._options.idempotent,
            request_timeout_ms=20_000,
            max_batch_size=512 * 1024,
            # The broker's own limit decides what is too large, not a second one here.
            max_request_size=16 * 1024 * 1024,
        )
        try:
            async with explain_refusal(self._options):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Send what is buffered and close the connections."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def ping(self) -> None:
        """Ask the cluster for its metadata; raises KafkaError where nobody answers."""
        producer = await self._open()
        async with explain_refusal(self._options):
            await producer.client.fetch_all_metadata()

    async def check_topics_exist(self, names: Collection[str]) -> None:
        """Raise TopicsUnavailableError unless the broker has the topics, KafkaError where it does not answer."""
        producer = await self._open()
        async with explain_refusal(self._options):
            await check_topics_exist(producer.client, self._options, names)

    async def publish(self, records: Sequence[Record]) -> None:
        """Send the records, those of a partition in order, and wait until each is acknowledged; raises KafkaError.

        Raises RecordsTooLargeError when all have been sent but those that are larger than their topic takes.
        """
        refused: dict[int, int] = {}
        queues = await self._sort(records)
        while queues:
            producer = await self._open()
            outcomes = await asyncio.gather(
                *(self._send(producer, queue, refused) for queue in queues), return_exceptions=True
            )
            for outcome in outcomes:
                if isinstance(outcome, _BEYOND_REPAIR):
                    await self._discard(producer)
                if isinstance(outcome, BaseException):
                    raise outcome
            queues = [queue for queue in queues if queue.waiting]
            if queues:  # the broker misses what it refused, and takes nothing more from this producer
                await self._discard(producer)
        if refused:
            raise RecordsTooLargeError(refused)

    async def _sort(self, records: Sequence[Record]) -> list[_Queue]:
        """The records by partition, in their order."""
        producer = await self._open()
        queues: dict[tuple[str, int], _Queue] = {}
        by_key: dict[tuple[str, bytes | None], _Queue] = {}
        for index, record in enumerate(records):
            queue = by_key.get((record.topic, record.key))
            if queue is None:
                topic = self._options.prefix + record.topic
                place = (topic, choose_partition(record.key, len(await producer.partitions_for(topic))))
                queue = by_key[record.topic, record.key] = queues.setdefault(place, _Queue(*place))
            queue.waiting.append((index, record))
        return list(queues.values())

    async def _send(self, producer: AIOKafkaProducer, queue: _Queue, refused: dict[int, int]) -> None:
        """Send what waits, batch by batch, so that nothing overtakes what is refused; leave the rest after a refusal.

        A batch of several that is refused stays in the queue, to be sent as smaller ones.
        """
        while queue.waiting:
            limit = self._limits.smallest_refused(queue.topic)
            batch = producer.create_batch()
            taken = _fill(batch, queue.waiting, limit)
            if taken == 1 and limit is not None and batch.size() >= limit:
                refused[queue.waiting.popleft()[0]] = batch.size()
                continue
            size = batch.size()
            try:
                await (await producer.send_batch(batch, queue.topic, partition=queue.partition))
            except _TOO_LARGE:
                self._limits.note(queue.topic, size)
                if taken == 1:
                    refused[queue.waiting.popleft()[0]] = size
                if self._options.idempotent:
                    return
                continue
            metrics.RECORDS_PUBLISHED.labels(topic=queue.waiting[0][1].topic).inc(taken)
            for _ in range(taken):
                queue.waiting.popleft()

    async def _open(self) -> AIOKafkaProducer:
        async with self._starting:  # of two that publish at once, one starts it
            if self._producer is None:
                await self.start()
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        """Have the next records sent by a new producer."""
        current = self._producer
        if current is not None and current is producer:
            self._producer = None
            with contextlib.suppress(KafkaError, TimeoutError):
                # In a task of its own: what a closing producer cancels is not the end of who publishes.
                await run_in_own_task(current.stop(), _DISCARD_SECONDS)


def _fill(batch: BatchBuilder, waiting: Iterable[tuple[int, Record]], limit: int | None) -> int:
    """Put the first records into an empty batch, and return how many.

    It is full at the producer's own bound, and where a topic refuses batches of `limit` bytes, at half of that: one
    record always goes in, and the next one if both fit.
    """
    taken = size = 0
    for _, record in waiting:
        if limit is not None:
            size += _size_of(record)
            if taken and size > limit // 2:
                break
        added = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
        if added is None:
            break
        taken += 1
    return taken


def _size_of(record: Record) -> int:
    """About as many bytes as it takes in a batch."""
    headers = sum(len(name) + len(value or b"") + 4 for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + 24


@lru_cache(maxsize=65_536)
def choose_partition(key: bytes | None, partitions: int) -> int:
    """The partition of a key, as Kafka's own clients choose it; remembered, because hashing in Python is slow."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions if key is not None else 0

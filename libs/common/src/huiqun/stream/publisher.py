"""Kafka out: records that the broker has acknowledged, or an error."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
    UnknownProducerId,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from huiqun.contracts.catalog import encode
from huiqun.contracts.envelope import Event
from huiqun.stream.presence import require_topics
from huiqun.stream.refusals import explained
from huiqun.stream.security import UNSECURED, KafkaSecurity

# Apache Kafka's brokers refuse records over 1 MiB unless they are told otherwise.
_MAX_EVENT_BYTES = 1_000_000
# A broker that lost the end of its log, say in a power cut, misses what an idempotent producer sent before, and takes
# nothing from it ever after.
_BEYOND_REPAIR = (OutOfOrderSequenceNumber, UnknownProducerId, InvalidProducerEpoch, ProducerFenced, ProducerClosed)
_DISCARD_SECONDS = 2.0
CONTENT_TYPE = ("content-type", b"application/cloudevents+json")


class EventTooLargeError(ValueError):
    """The event is larger than a broker takes: once committed, it could never leave the outbox."""


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


def headers_of(traceparent: str | None) -> tuple[tuple[str, bytes], ...]:
    """The headers of an event's record."""
    return (CONTENT_TYPE,) if traceparent is None else (CONTENT_TYPE, ("traceparent", traceparent.encode()))


def record_of(event: Event) -> Record:
    """An event as a record keyed by its subject; raises EventTooLargeError before it is too late to refuse it."""
    value = encode(event)
    if len(value) > _MAX_EVENT_BYTES:
        raise EventTooLargeError(f"{event.type} of {len(value)} bytes; the limit is {_MAX_EVENT_BYTES}")
    return Record(event.topic.name, event.subject.encode(), value, headers_of(event.traceparent))


class Publisher:
    """A producer that returns only when all in-sync replicas have what it sent."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

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
            async with explained(self._options):
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
        async with explained(self._options):
            await producer.client.fetch_all_metadata()

    async def require_topics(self, names: Collection[str]) -> None:
        """Raise TopicsUnavailableError unless the broker has the topics, KafkaError where it does not answer."""
        producer = await self._open()
        async with explained(self._options):
            await require_topics(producer.client, self._options, names)

    async def publish(self, records: Sequence[Record]) -> None:
        """Send the records in order and wait until each is acknowledged; raises KafkaError."""
        producer = await self._open()
        sending: list[asyncio.Future[object]] = []
        open_batches: dict[tuple[str, int], BatchBuilder] = {}
        partitions: dict[str, int] = {}
        for record in records:
            topic = self._options.prefix + record.topic
            if topic not in partitions:
                partitions[topic] = len(await producer.partitions_for(topic))
            place = (topic, partition_of(record.key, partitions[topic]))
            batch = open_batches.get(place)
            if batch is None or not _append(batch, record):
                if batch is not None:
                    sending.append(await producer.send_batch(batch, topic, partition=place[1]))
                batch = open_batches[place] = producer.create_batch()
                if not _append(batch, record):
                    raise MessageSizeTooLargeError(f"a record of {len(record.value or b'')} bytes for {topic}")
        for (topic, partition), batch in open_batches.items():
            sending.append(await producer.send_batch(batch, topic, partition=partition))
        for outcome in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(outcome, _BEYOND_REPAIR):
                await self._discard(producer)
            if isinstance(outcome, BaseException):
                raise outcome

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
                await asyncio.wait_for(current.stop(), _DISCARD_SECONDS)


def _append(batch: BatchBuilder, record: Record) -> bool:
    return batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers)) is not None


@lru_cache(maxsize=65_536)
def partition_of(key: bytes | None, partitions: int) -> int:
    """The partition of a key, as Kafka's own clients choose it; remembered, because hashing in Python is slow."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions if key is not None else 0

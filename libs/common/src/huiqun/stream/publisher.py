"""Kafka out: records that the broker has acknowledged, or an error."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from huiqun.contracts.catalog import encode
from huiqun.contracts.envelope import Event

CONTENT_TYPE = ("content-type", b"application/cloudevents+json")


@dataclass(frozen=True, slots=True)
class Record:
    """What goes to Kafka: a logical topic's name, key, value and headers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to reach the broker.

    `prefix` stands before every topic and consumer group, so that environments share a cluster. `idempotent` lets
    the broker drop what the client's own retries repeat; Apache Kafka can, Tansu refuses it.
    """

    bootstrap: str
    prefix: str = ""
    idempotent: bool = True
    session_timeout_milliseconds: int = 10_000


def headers_of(traceparent: str | None) -> tuple[tuple[str, bytes], ...]:
    """The headers of an event's record."""
    return (CONTENT_TYPE,) if traceparent is None else (CONTENT_TYPE, ("traceparent", traceparent.encode()))


def record_of(event: Event) -> Record:
    """An event as a record keyed by its subject."""
    return Record(event.topic.name, event.subject.encode(), encode(event), headers_of(event.traceparent))


class Publisher:
    """A producer that returns only when all in-sync replicas have what it sent."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect to the broker; raises KafkaError where it does not answer."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._options.bootstrap,
            acks="all",
            enable_idempotence=self._options.idempotent,
            request_timeout_ms=20_000,
            max_batch_size=512 * 1024,
            # The broker's own limit decides what is too large, not a second one here.
            max_request_size=16 * 1024 * 1024,
        )
        try:
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
        if self._producer is None:
            await self.start()
        else:
            await self._producer.client.fetch_all_metadata()

    async def publish(self, records: Sequence[Record]) -> None:
        """Send the records in order and wait until each is acknowledged; raises KafkaError."""
        if self._producer is None:
            await self.start()
        producer = self._producer
        assert producer is not None  # noqa: S101 - start() set it or raised
        futures = [
            await producer.send(
                self._options.prefix + record.topic, value=record.value, key=record.key, headers=list(record.headers)
            )
            for record in records
        ]
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

"""What a composition root opens, for one test: connections, topics and a database of the test's own."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record, record_of
from huiqun.kafka.topics import create_topics
from huiqun.runtime.clock import Clock, SystemClock
from huiqun.service.parts import Part
from huiqun.store import Client, Database, MongoOptions, connect, ensure_indexes
from huiqun.stream import STREAM_INDEXES, BatchConsumer, ConsumerOptions, Route
from huiqun.tasks.store import TASK_INDEXES
from huiqun.work import WORK_INDEXES, Transactor
from local.stack import SESSION_TIMEOUT_MILLISECONDS, Stack

PARTITIONS = 2
SERVICE = "moderation"


@dataclass(frozen=True)
class Spine:
    """A service's connections; `seen` is a collection of it that a test's handlers may write to."""

    client: Client
    database: Database
    kafka: KafkaOptions
    publisher: Publisher
    transactor: Transactor

    def consumer(self, *routes: Route, options: ConsumerOptions | None = None) -> BatchConsumer:
        """A member of the service's consumer group."""
        return BatchConsumer(SERVICE, routes, self.transactor, self.kafka, options or ConsumerOptions())

    async def send(self, *events: Event) -> None:
        """Put events on their topics, as whoever owns them would."""
        await self.publisher.publish(list(map(record_of, events)))

    async def send_raw(self, topic: Topic, value: bytes | None, key: str = "g1") -> None:
        """Put any bytes on a topic."""
        await self.publisher.publish([Record(topic.name, key.encode(), value)])

    async def records(self, topic: Topic) -> list[ConsumerRecord]:
        """What stands on a topic now, by partition and offset."""
        return await read_topic(self.kafka, topic)

    async def has_read_all(self, topic: Topic) -> bool:
        """Whether the service has acknowledged every record that stands on a topic now."""
        places = [TopicPartition(self.kafka.prefix + topic.name, number) for number in range(PARTITIONS)]
        group = f"{self.kafka.prefix}huiqun.{SERVICE}"
        async with AIOKafkaConsumer(**self.kafka.client_arguments(), group_id=group, enable_auto_commit=False) as it:
            it.assign(places)
            ends = await it.end_offsets(places)
            return all([(await it.committed(place) or 0) >= ends[place] for place in places])

    async def seen(self) -> list[str]:
        """The ids of the documents that the test's handlers wrote."""
        return [document["_id"] async for document in self.database["seen"].find().sort("_id", 1)]


@asynccontextmanager
async def open_spine(
    kafka: KafkaOptions, mongo: MongoOptions | str, database_name: str, clock: Clock | None = None
) -> AsyncIterator[Spine]:
    """Connect, create topics, collections and indexes; close the connections at the end."""
    client = connect(mongo)
    database = client[database_name]
    publisher = Publisher(kafka)
    try:
        await ensure_indexes(database, {**WORK_INDEXES, **STREAM_INDEXES, **TASK_INDEXES, "seen": ()})
        await create_topics(kafka, partitions=PARTITIONS, replication=1)
        await publisher.start()
        transactor = Transactor(client, database, publisher, clock or SystemClock())
        yield Spine(client, database, kafka, publisher, transactor)
    finally:
        await publisher.stop()
        await client.close()


def kafka_options_of(stack: Stack, prefix: str) -> KafkaOptions:
    """How to reach the broker of `stack`, with quick joins."""
    return KafkaOptions(
        bootstrap=stack.bootstrap,
        prefix=prefix,
        idempotent=stack.broker.producer_ids,
        session_timeout_milliseconds=SESSION_TIMEOUT_MILLISECONDS,
    )


@asynccontextmanager
async def running(part: Part) -> AsyncIterator[asyncio.Task[None]]:
    """Run a part as long as the context lasts, then stop it in time; raises what it failed with."""
    stop = asyncio.Event()
    task = asyncio.create_task(part.run(stop), name=part.name)
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)


async def eventually(condition: Callable[[], Awaitable[bool] | bool], seconds: float = 30) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not await _holds(condition):
        assert time.monotonic() < deadline, f"not so after {seconds:g} s: {inspect.getsource(condition).strip()}"
        await asyncio.sleep(0.02)


async def _holds(condition: Callable[[], Awaitable[bool] | bool]) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer


async def read_topic(kafka: KafkaOptions, topic: Topic, partitions: int = PARTITIONS) -> list[ConsumerRecord]:
    """The records of a topic from its beginning to its end as it is now."""
    found: list[ConsumerRecord] = []
    consumer = AIOKafkaConsumer(**kafka.client_arguments(), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(kafka.prefix + topic.name, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:
            while ends[place] and await consumer.position(place) < ends[place]:
                found += await _poll(consumer, place)
    finally:
        await consumer.stop()
    return found


async def _poll(consumer: AIOKafkaConsumer, place: TopicPartition) -> Sequence[ConsumerRecord]:
    polled: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(place, timeout_ms=500)
    return polled.get(place, [])

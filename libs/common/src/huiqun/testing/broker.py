"""The broker's side of a rig: what others send to the service, and what stands on its topics."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import Topic
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record, event_record
from huiqun.kafka.topics import create_topics
from huiqun.stream.positions import consumer_group_of

#: How many partitions each topic of a rig has.
PARTITIONS: Final = 2
#: As which of the services a rig consumes: its consumer group is named after it.
SERVICE: Final = "moderation"


@dataclass(frozen=True, slots=True)
class Broker:
    """A connection to the broker, with topics and groups of the rig's own."""

    options: KafkaOptions
    publisher: Publisher

    async def send(self, *events: Event) -> None:
        """Put events on their topics, as whoever owns them would."""
        await self.publisher.publish(list(map(event_record, events)))

    async def send_raw(self, topic: Topic, value: bytes | None, key: str = "g1") -> None:
        """Put any bytes on a topic."""
        await self.publisher.publish([Record(topic.name, key.encode(), value)])

    async def records(self, topic: Topic) -> list[ConsumerRecord]:
        """What stands on a topic now, by partition and offset."""
        return await read_topic(self.options, topic)

    async def has_read_all(self, topic: Topic) -> bool:
        """Whether the service has acknowledged every record that stands on a topic now."""
        places = places_of(self.options, topic)
        arguments = self.options.client_arguments()
        group = consumer_group_of(self.options, SERVICE)
        async with AIOKafkaConsumer(**arguments, group_id=group, enable_auto_commit=False) as reader:
            reader.assign(places)
            ends = await reader.end_offsets(places)
            return all([(await reader.committed(place) or 0) >= ends[place] for place in places])


@asynccontextmanager
async def open_broker(options: KafkaOptions) -> AsyncIterator[Broker]:
    """Create all topics, and connect to the broker."""
    await create_topics(options, partitions=PARTITIONS, replication=1)
    publisher = Publisher(options)
    await publisher.start()
    try:
        yield Broker(options, publisher)
    finally:
        await publisher.stop()


def places_of(options: KafkaOptions, topic: Topic, partitions: int = PARTITIONS) -> list[TopicPartition]:
    """The partitions of a topic, as the broker calls them."""
    return [TopicPartition(options.prefix + topic.name, number) for number in range(partitions)]


async def read_topic(options: KafkaOptions, topic: Topic, partitions: int = PARTITIONS) -> list[ConsumerRecord]:
    """The records of a topic from its beginning to its end as it is now."""
    found: list[ConsumerRecord] = []
    consumer = AIOKafkaConsumer(**options.client_arguments(), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = places_of(options, topic, partitions)
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

"""Reading topics from outside of any consumer group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from huiqun.contracts.topics import Topic
from huiqun.kafka import KafkaOptions

_POLL_MILLISECONDS = 100


@asynccontextmanager
async def open_reader(kafka: KafkaOptions, topic: Topic, *, from_start: bool = True) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of all partitions of the topic, in no group, from its start or from its end as it is now."""
    consumer = AIOKafkaConsumer(
        kafka.prefix + topic.name,
        **kafka.client_arguments(),
        auto_offset_reset="earliest" if from_start else "latest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        if not from_start:
            await asyncio.gather(*(consumer.position(partition) for partition in consumer.assignment()))
        yield consumer
    finally:
        await consumer.stop()


async def read_records(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    """What has come within a tenth of a second."""
    polled = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=5_000)
    return [record for batch in polled.values() for record in batch]


async def read_end_offsets(kafka: KafkaOptions, *topics: Topic) -> dict[TopicPartition, int]:
    """Where the partitions of the topics end.

    A fetch tells; a request for the last offset does not, because Tansu answers it with the start of the last batch.
    """
    names = [kafka.prefix + topic.name for topic in topics]
    consumer = AIOKafkaConsumer(*names, **kafka.client_arguments(), auto_offset_reset="latest", fetch_max_wait_ms=10)
    await consumer.start()
    try:
        while None in (found := {at: consumer.highwater(at) for at in consumer.assignment()}).values():
            await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)
        return found
    finally:
        await consumer.stop()


async def count_records(kafka: KafkaOptions, topic: Topic) -> int:
    """How many records have ever been written to the topic."""
    return sum((await read_end_offsets(kafka, topic)).values())

"""How far a service has come on the topics that it reads, as the broker knows it."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from huiqun.kafka import KafkaOptions
from huiqun.kafka.topics import count_partitions
from huiqun.runtime.waiting import run_in_own_task
from huiqun.stream.breaker import PartitionId

_WAIT_SECONDS = 15.0
_FETCH_MILLISECONDS = 20


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition ends, and what its reader has acknowledged up to; None where that is nothing yet."""

    end: int
    committed: int | None


def consumer_group_of(options: KafkaOptions, service: str) -> str:
    """The consumer group of a service."""
    return f"{options.prefix}huiqun.{service}"


async def read_positions(options: KafkaOptions, service: str) -> Mapping[PartitionId, Position]:
    """The positions of a service in all partitions of our topics; raises KafkaError or TimeoutError."""
    counts = await count_partitions(options)
    places = {
        TopicPartition(options.prefix + topic, number): PartitionId(topic, number)
        for topic, count in sorted(counts.items())
        for number in range(count)
    }
    consumer = AIOKafkaConsumer(
        **options.client_arguments(), group_id=consumer_group_of(options, service), enable_auto_commit=False
    )
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            await consumer.start()
        consumer.assign(list(places))
        async with asyncio.timeout(_WAIT_SECONDS):
            ends = await read_end_offsets(consumer, list(places))
            committed = [await consumer.committed(each) for each in places]
    finally:
        with suppress(TimeoutError):
            await run_in_own_task(consumer.stop(), _WAIT_SECONDS)
    return {
        place: Position(ends[each], offset) for (each, place), offset in zip(places.items(), committed, strict=True)
    }


async def read_end_offsets(
    reader: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where the partitions end.

    Tansu names as a partition's end the start of its last batch; what a fetch says of it is right on every broker. So
    each is fetched once from the end that was named, which on Apache Kafka brings nothing.
    """
    ends: dict[TopicPartition, int] = await reader.end_offsets(list(partitions))
    asked = {each: reader.last_poll_timestamp(each) for each in partitions}
    for partition, end in ends.items():
        reader.seek(partition, end)
    reader.resume(*partitions)
    while any(reader.last_poll_timestamp(each) == at for each, at in asked.items()):
        await reader.getmany(*partitions, timeout_ms=_FETCH_MILLISECONDS)
    reader.pause(*partitions)
    return {each: max(ends[each], reader.highwater(each) or 0) for each in partitions}

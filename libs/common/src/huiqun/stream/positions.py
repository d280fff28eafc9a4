"""How far a service has come on the topics that it reads, as the broker knows it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from huiqun.stream.breaker import Place
from huiqun.stream.publisher import KafkaOptions
from huiqun.stream.topics import count_partitions

_WAIT_SECONDS = 15.0
_FETCH_MILLISECONDS = 100


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition ends, and what its reader has acknowledged up to; None where that is nothing yet."""

    end: int
    committed: int | None


def group_of(options: KafkaOptions, service: str) -> str:
    """The consumer group of a service."""
    return f"{options.prefix}huiqun.{service}"


async def read_positions(options: KafkaOptions, service: str) -> Mapping[Place, Position]:
    """The positions of a service in all partitions of our topics; raises KafkaError or TimeoutError."""
    counts = await count_partitions(options)
    places = {
        TopicPartition(options.prefix + topic, number): Place(topic, number)
        for topic, count in sorted(counts.items())
        for number in range(count)
    }
    consumer = AIOKafkaConsumer(
        **options.client_arguments(), group_id=group_of(options, service), enable_auto_commit=False
    )
    try:
        await asyncio.wait_for(consumer.start(), _WAIT_SECONDS)
        consumer.assign(list(places))
        async with asyncio.timeout(_WAIT_SECONDS):
            ends = await _ends(consumer, list(places))
            committed = [await consumer.committed(each) for each in places]
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(consumer.stop(), _WAIT_SECONDS)
    return {
        place: Position(ends[each], offset) for (each, place), offset in zip(places.items(), committed, strict=True)
    }


async def _ends(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Where the partitions end. Tansu names it too low when it is asked; what a fetch says is right on every broker."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    for place, end in ends.items():
        consumer.seek(place, end)
    while any(consumer.highwater(place) is None for place in places):
        await consumer.getmany(timeout_ms=_FETCH_MILLISECONDS)
    return {place: max(end, consumer.highwater(place) or 0) for place, end in ends.items()}

"""Waiting until everything that was sent has had all its effects."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES, CHANNEL_RECEIPTS, MODERATION_DECISIONS, Topic
from huiqun.store import Database
from huiqun.stream import KafkaOptions
from huiqun.stream.outbox import OUTBOX

OPEN: Final = ("requested", "assigned")
_EVERY_SECONDS: Final = 0.1

# What each service reads, those that others wait for first.
READS: Final[dict[str, tuple[Topic, ...]]] = {
    "moderation": (CHANNEL_MESSAGES, CHANNEL_MEMBERS, CHANNEL_RECEIPTS),
    "engagement": (CHANNEL_MEMBERS, MODERATION_DECISIONS),
    "crm-sync": (CHANNEL_MEMBERS, MODERATION_DECISIONS),
    "survey": (CHANNEL_MEMBERS, MODERATION_DECISIONS),
}


class NotThroughError(Exception):
    """Something that was sent has not had its effect in time."""


class Lag:
    """How many records a service has not dealt with yet."""

    def __init__(self, service: str, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self.service = service
        self._consumer = consumer
        self._prefix = prefix

    async def read(self) -> int:
        """The sum over the partitions that the service reads."""
        topics = [self._prefix + topic.name for topic in READS[self.service]]
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in self._consumer.partitions_for_topic(topic) or ()
        ]
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(partitions)
        done = [await self._consumer.committed(partition) or 0 for partition in partitions]
        return sum(ends.values()) - sum(done)


@asynccontextmanager
async def lags(kafka: KafkaOptions, services: Sequence[str]) -> AsyncIterator[list[Lag]]:
    """The lag of each service, read from the broker without joining any group."""
    async with AsyncExitStack() as stack:
        opened = []
        for service in (service for service in READS if service in services):
            consumer = AIOKafkaConsumer(
                bootstrap_servers=kafka.bootstrap, group_id=f"{kafka.prefix}huiqun.{service}", enable_auto_commit=False
            )
            await consumer.start()
            stack.push_async_callback(consumer.stop)
            await consumer.topics()  # or it would know of no partitions
            opened.append(Lag(service, consumer, kafka.prefix))
        yield opened


async def until_through(lags: Sequence[Lag], moderation: Database, seconds: float) -> None:
    """Wait until no record is unread, no event unpublished and no action open; NotThroughError after the time."""
    left = ""
    try:
        async with asyncio.timeout(seconds):
            while left := await what_is_left(lags, moderation):  # noqa: ASYNC110 (a broker sets no event)
                await asyncio.sleep(_EVERY_SECONDS)
    except TimeoutError:
        raise NotThroughError(f"After {seconds:g} s there was still: {left}.") from None


async def what_is_left(lags: Sequence[Lag], moderation: Database) -> str:
    """What is not through yet, in words; empty when all is. Moderation first: the others read what it publishes."""
    for lag in lags:
        if unread := await lag.read():
            return f"{unread} records that {lag.service} has not dealt with"
        if lag.service == "moderation":
            if unpublished := await moderation[OUTBOX].count_documents({}):
                return f"{unpublished} batches of moderation to publish"
            if unanswered := await moderation["actions"].count_documents({"state": {"$in": OPEN}}):
                return f"{unanswered} actions without an outcome"
    return ""

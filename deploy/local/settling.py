"""Waiting until everything that was sent has had all its effects."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer

from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES, CHANNEL_RECEIPTS, MODERATION_DECISIONS, Topic
from huiqun.kafka import KafkaOptions
from huiqun.store import Database
from huiqun.work.outbox import OUTBOX
from local.topics import read_end_offsets

OPEN_ACTION_STATES: Final = ("requested", "assigned")
_EVERY_SECONDS: Final = 0.1

# What each service reads, those that others wait for first.
TOPICS_READ: Final[dict[str, tuple[Topic, ...]]] = {
    "moderation": (CHANNEL_MESSAGES, CHANNEL_MEMBERS, CHANNEL_RECEIPTS),
    "engagement": (CHANNEL_MEMBERS, MODERATION_DECISIONS),
    "crm-sync": (CHANNEL_MEMBERS, MODERATION_DECISIONS),
    "survey": (CHANNEL_MEMBERS, MODERATION_DECISIONS),
}


class NotSettledError(Exception):
    """Something that was sent has not had its effect in time."""


class ConsumerLag:
    """How many records a service has not dealt with yet."""

    def __init__(self, service: str, kafka: KafkaOptions, group: AIOKafkaConsumer) -> None:
        self.service = service
        self._kafka = kafka
        self._group = group

    async def read(self) -> int:
        """The sum over the partitions that the service reads."""
        reached = await read_end_offsets(self._kafka, *TOPICS_READ[self.service])
        return sum([end - (await self._group.committed(partition) or 0) for partition, end in reached.items()])


@asynccontextmanager
async def open_lags(kafka: KafkaOptions, services: Sequence[str]) -> AsyncIterator[list[ConsumerLag]]:
    """The lag of each service, read from the broker without joining any group."""
    async with AsyncExitStack() as stack:
        opened = []
        for service in (service for service in TOPICS_READ if service in services):
            group = AIOKafkaConsumer(
                **kafka.client_arguments(), group_id=f"{kafka.prefix}huiqun.{service}", enable_auto_commit=False
            )
            await group.start()
            stack.push_async_callback(group.stop)
            opened.append(ConsumerLag(service, kafka, group))
        yield opened


async def wait_until_settled(lags: Sequence[ConsumerLag], moderation: Database, seconds: float) -> None:
    """Wait until no record is unread, no event unpublished and no action open; NotSettledError after the time."""
    left = ""
    try:
        async with asyncio.timeout(seconds):
            while left := await _describe_whole_backlog(lags, moderation):  # noqa: ASYNC110 - nothing of ours could tell
                await asyncio.sleep(_EVERY_SECONDS)
    except TimeoutError:
        raise NotSettledError(f"After {seconds:g} s there was still: {left}.") from None


async def describe_backlog(lags: Sequence[ConsumerLag], moderation: Database) -> str:
    """What the services still have to deal with, in words; empty when there is nothing."""
    for lag in lags:
        if unread := await lag.read():
            return f"{unread} records that {lag.service} has not dealt with"
    if unpublished := await moderation[OUTBOX].count_documents({}):
        return f"{unpublished} batches that moderation has not published"
    return ""


async def _describe_whole_backlog(lags: Sequence[ConsumerLag], moderation: Database) -> str:
    """In the order of cause and effect, so that nothing passes from what was not yet looked at to what was."""
    first = [lag for lag in lags if lag.service == "moderation"]
    if left := await describe_backlog(first, moderation):
        return left
    if unanswered := await moderation["actions"].count_documents({"state": {"$in": OPEN_ACTION_STATES}}):
        return f"{unanswered} actions without an outcome"
    return await describe_backlog(lags, moderation)

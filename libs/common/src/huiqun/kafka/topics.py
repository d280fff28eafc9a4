"""Creating the topics, with their partitions and retention."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from huiqun.contracts.topics import TOPICS
from huiqun.kafka import KafkaOptions
from huiqun.kafka.refusals import explain_refusal

# Dead letters carry headers of their own on top of a record that may already be as large as the broker allows.
_DEAD_LETTER_BYTES = 4 * 1024 * 1024


async def create_topics(options: KafkaOptions, *, partitions: int, replication: int) -> list[str]:
    """Create the topics that are missing and return their names; raises KafkaError."""
    async with _administering(options) as admin:
        present = set(await admin.list_topics())
        missing = [
            NewTopic(options.prefix + topic.name, partitions, replication, topic_configs=_configuration(topic.name))
            for topic in TOPICS
            if options.prefix + topic.name not in present
        ]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, *_ in response.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)(name)
    return [topic.name.removeprefix(options.prefix) for topic in missing]


async def count_partitions(options: KafkaOptions) -> dict[str, int]:
    """How many partitions each of our topics has, without those that the broker does not have; raises KafkaError."""
    names = {options.prefix + topic.name: topic.name for topic in TOPICS}
    async with _administering(options) as admin:
        # Asking for one that is missing might create it.
        present = [name for name in await admin.list_topics() if name in names]
        described = await admin.describe_topics(present) if present else []
    return {names[each["topic"]]: len(each["partitions"]) for each in described}


@asynccontextmanager
async def _administering(options: KafkaOptions) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**options.client_arguments(), request_timeout_ms=30_000)
    try:
        async with explain_refusal(options):
            async with asyncio.timeout(30):
                await admin.start()
        yield admin
    finally:
        await admin.close()


def _configuration(name: str) -> dict[str, str]:
    topic = next(topic for topic in TOPICS if topic.name == name)
    settings = {"retention.ms": str(int(topic.retention.total_seconds() * 1000))}
    if name.endswith(".dead-letters.v1"):
        settings["max.message.bytes"] = str(_DEAD_LETTER_BYTES)
    return settings


__all__ = ["KafkaError", "count_partitions", "create_topics"]

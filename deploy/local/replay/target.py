"""Where a replay goes: the system that the environment names, or one started for it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from huiqun.kafka import KafkaOptions
from huiqun.kafka.topics import create_topics
from huiqun.service.settings import ConnectionSettings
from huiqun.store import Client, Database, MongoOptions, check_access, connect
from local.services import running_services, watch_services
from local.stack import Stack
from local.system import DATABASE_PREFIX, PARTITIONS, kafka_of, mongo_of, running_beside

SERVICE = "moderation"


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """A running moderation: its broker and its database."""

    kafka: KafkaOptions
    database: Database


@asynccontextmanager
async def open_target(logs: Path) -> AsyncIterator[ReplayTarget]:
    """The system of HUIQUN_KAFKA_BOOTSTRAP and HUIQUN_MONGO_URL if the first is set, else servers and moderation."""
    if os.environ.get("HUIQUN_KAFKA_BOOTSTRAP"):
        settings = ConnectionSettings()
        async with _connected(settings.mongo) as client:
            database = client[settings.database_of(SERVICE)]
            await check_access(database)
            yield ReplayTarget(settings.kafka, database)
        return
    async with Stack() as stack, _connected(mongo_of(stack)) as client:
        kafka = kafka_of(stack)
        await create_topics(kafka, partitions=PARTITIONS, replication=1)
        environment = {**stack.environment, "HUIQUN_DATABASE_PREFIX": DATABASE_PREFIX, "HUIQUN_TOPIC_PREFIX": ""}
        async with running_services([SERVICE], environment, logs) as services, running_beside(watch_services(services)):
            yield ReplayTarget(kafka, client[DATABASE_PREFIX + SERVICE])


@asynccontextmanager
async def _connected(server: MongoOptions) -> AsyncIterator[Client]:
    client = connect(server, app_name="huiqun-replay")
    try:
        yield client
    finally:
        await client.close()

"""The whole of Huiqun on this machine for as long as a context lasts: servers, topics, services, a channel."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from huiqun.contracts.topics import SERVICES
from huiqun.kafka import KafkaOptions
from huiqun.kafka.topics import create_topics
from huiqun.privacy.encryption import FieldEncryption, MasterKeys, open_encryption
from huiqun.service.settings import ConnectionSettings
from huiqun.store import Client, Database, MongoOptions, connect
from local.channel import Channel
from local.services import Service, running_services, watch_services
from local.stack import SESSION_TIMEOUT_MILLISECONDS, Stack

PARTITIONS: Final = 4
DATABASE_PREFIX: Final = "huiqun_"
ReportProgress = Callable[[str], None]
#: Puts into moderation's database what is to stand there before the services start.
Prepare = Callable[[Client, Database, KafkaOptions], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class System:
    """What runs, and how to reach it."""

    environment: Mapping[str, str]
    kafka: KafkaOptions
    client: Client
    services: Sequence[Service]
    channel: Channel

    def service(self, name: str) -> Service:
        """The service of this name."""
        return next(service for service in self.services if service.name == name)

    def database(self, service: str) -> Database:
        """The database that the service owns."""
        return self.client[DATABASE_PREFIX + service.replace("-", "_")]

    def encryption(self, service: str) -> AbstractAsyncContextManager[FieldEncryption]:
        """What decrypts the names in that database, while the context lasts."""
        keys = MasterKeys(self.environment["HUIQUN_ENCRYPTION_KEY"])
        return open_encryption(self.environment["HUIQUN_MONGO_URL"], self.database(service).name, keys)


@asynccontextmanager
async def running_system(logs: Path, report: ReportProgress, prepare: Prepare) -> AsyncIterator[System]:
    """Everything, after `prepare`; logs go to the directory, `report` hears what is done.

    Raises ServerUnavailableError when it cannot be started, ServiceEndedError when a service ends in between.
    """
    report("Starting MongoDB and the broker")
    async with Stack() as stack:
        kafka = kafka_of(stack)
        await create_topics(kafka, partitions=PARTITIONS, replication=1)
        client = connect(mongo_of(stack), app_name="huiqun-local")
        try:
            await prepare(client, client[DATABASE_PREFIX + "moderation"], kafka)
            report("Starting the services")
            environment = {**stack.environment, "HUIQUN_DATABASE_PREFIX": DATABASE_PREFIX, "HUIQUN_TOPIC_PREFIX": ""}
            async with running_services(SERVICES, environment, logs) as services:
                channel = Channel(kafka)
                async with running_beside(channel.run(), watch_services(services)):
                    yield System(environment, kafka, client, services, channel)
        finally:
            await client.close()


def kafka_of(stack: Stack) -> KafkaOptions:
    """How to reach the stack's broker."""
    return KafkaOptions(
        bootstrap=stack.bootstrap,
        idempotent=stack.broker.producer_ids,
        session_timeout_milliseconds=SESSION_TIMEOUT_MILLISECONDS,
    )


def mongo_of(stack: Stack) -> MongoOptions:
    """How to reach the stack's store, with the driver that HUIQUN_MONGO_DRIVER names."""
    return replace(ConnectionSettings().mongo, url=stack.mongo_url)


@asynccontextmanager
async def running_beside(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the loops while the block runs; the first error of either ends both and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop) for loop in loops]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None

"""What every service connects to, and the loops that every service runs over its connections."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from huiqun.audit import AUDIT_INDEXES
from huiqun.kafka import Publisher
from huiqun.privacy.encryption import FieldEncryption, open_encryption
from huiqun.privacy.erasure.store import PERSON_REQUEST_INDEXES
from huiqun.privacy.suppression import SUPPRESSION_INDEXES, SuppressionList
from huiqun.runtime.clock import Clock, SystemClock
from huiqun.runtime.waiting import run_in_own_task
from huiqun.service.components import Component, ignoring_stop_signals
from huiqun.service.settings import ServiceSettings
from huiqun.service.startup import Startup
from huiqun.store import (
    PRESENCE_INDEXES,
    AbandonedTransactions,
    Client,
    Database,
    Index,
    Presence,
    check_access,
    close_client,
    connect,
    ensure_indexes,
)
from huiqun.stream import STREAM_INDEXES, BatchConsumer, ConsumerOptions, LagMonitor, Route
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.tasks.store import TASK_INDEXES
from huiqun.web import WEB_INDEXES
from huiqun.work import WORK_INDEXES, Relay, Transactor
from huiqun.work.transactor import TransactorOptions

#: The collections that the library keeps in the database of every service.
SHARED_INDEXES: Mapping[str, Sequence[Index]] = {
    **PRESENCE_INDEXES,
    **WORK_INDEXES,
    **STREAM_INDEXES,
    **TASK_INDEXES,
    **WEB_INDEXES,
    **AUDIT_INDEXES,
    **SUPPRESSION_INDEXES,
    **PERSON_REQUEST_INDEXES,
}


@dataclass(frozen=True, slots=True)
class Connections:
    """What a composition root wires its slices with. Store and broker may be away until `startup` is done."""

    service: str
    settings: ServiceSettings
    client: Client
    database: Database
    publisher: Publisher
    transactor: Transactor
    encryption: FieldEncryption
    suppression: SuppressionList
    clock: Clock
    startup: Startup


@asynccontextmanager
async def prepare_connections(
    service: str, settings: ServiceSettings, indexes: Mapping[str, Sequence[Index]]
) -> AsyncIterator[Connections]:
    """Prepare the connections to the store and the broker; `startup` waits for both and creates what is missing."""
    # Named after the database, so that installations that share a cluster keep out of each other's transactions.
    client = connect(settings.mongo, app_name=settings.database_of(service))
    database = client[settings.database_of(service)]
    presence = Presence(settings.mongo, database)
    publisher = Publisher(settings.kafka)
    clock = SystemClock()
    suppression = SuppressionList(settings.hash_key.get_secret_value().encode())
    async with open_encryption(settings.mongo, database.name, settings.master_keys) as encryption:

        async def prepare() -> None:
            await check_access(database)
            await ensure_indexes(database, {**SHARED_INDEXES, **indexes})
            await encryption.start()

        abandoned = AbandonedTransactions(database)
        startup = Startup(prepare, presence.begin, publisher.ping, meanwhile=abandoned.abort_abandoned)
        try:
            transactor = Transactor(client, database, publisher, clock, TransactorOptions(source=f"huiqun/{service}"))
            yield Connections(
                service, settings, client, database, publisher, transactor, encryption, suppression, clock, startup
            )
        finally:
            with ignoring_stop_signals():
                with contextlib.suppress(KafkaError, TimeoutError):
                    await run_in_own_task(publisher.stop(), 2)
                await presence.end()
                await close_client(client)


def engine_components(
    connected: Connections, roles: frozenset[str], routes: Sequence[Route], kinds: Mapping[str, TaskKind]
) -> list[Component]:
    """The loops that every service has: its consumer, its lag, the relay, and the tasks where it has any."""
    running: list[Component] = []
    if "streams" in roles:
        settings = connected.settings
        options = ConsumerOptions(
            max_batch=settings.max_batch,
            max_characters=settings.max_batch_characters,
            max_failed_share=settings.breaker_share,
            trial_seconds=settings.breaker_trial_seconds,
        )
        consumer = BatchConsumer(connected.service, routes, connected.transactor, settings.kafka, options)
        running += [consumer, LagMonitor(consumer, settings.kafka), Relay(connected.transactor)]
    if "tasks" in roles and kinds:
        running.append(TaskRunner(connected.transactor, kinds))
    return running

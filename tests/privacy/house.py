"""All four services on a real store and broker, with their interfaces, and everything that they leave behind."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest
from pydantic import SecretStr

import crm_sync.app
import engagement.app
import moderation.app
import survey.app
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.topics import TOPICS, Topic
from huiqun.kafka import KafkaOptions
from huiqun.kafka.publisher import Record
from huiqun.kafka.topics import create_topics
from huiqun.privacy.links import SignedLinks
from huiqun.service.api import HttpComponent
from huiqun.service.components import Component
from huiqun.service.connections import Connections, engine_components, prepare_connections
from huiqun.service.settings import ServiceSettings
from huiqun.store import OutsideTransaction
from huiqun.stream import Route
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskRunner
from huiqun.telemetry import configure_logs, tracing
from huiqun.testing.broker import PARTITIONS, read_topic
from huiqun.testing.clock import ManualClock
from huiqun.testing.waiting import eventually, running_component
from huiqun.web import create_api_key
from local.ports import free_port
from local.stack import Stack
from moderation.appeals.model import APPEAL_LINK_PURPOSE, AppealGrant, appeal_link_maker
from moderation.lexicon.handlers import import_shipped_lists
from moderation.rulebook.handlers import RulebookKeeper
from moderation.settings import Settings

SERVICES = {"moderation": moderation.app, "engagement": engagement.app, "crm-sync": crm_sync.app, "survey": survey.app}


@dataclass
class Service:
    """One of the services, run by a test."""

    connected: Connections
    app: FastAPI
    http: httpx.AsyncClient
    routes: Sequence[Route]
    kinds: Mapping[str, TaskKind]

    @property
    def topics(self) -> list[Topic]:
        """What it reads."""
        return list(dict.fromkeys(event.topic for route in self.routes for event in route.events))


@dataclass
class House:
    """The services, and what is to be seen of them from outside."""

    kafka: KafkaOptions
    clock: ManualClock
    links: SignedLinks
    lines: StringIO
    spans: InMemorySpanExporter
    services: dict[str, Service] = field(default_factory=dict)
    readers: dict[str, AIOKafkaConsumer] = field(default_factory=dict)

    @property
    def moderation(self) -> Service:
        return self.services["moderation"]

    async def send(self, topic: Topic, key: str, values: Sequence[bytes]) -> None:
        """Put records on a topic."""
        await self.moderation.connected.publisher.publish([Record(topic.name, key.encode(), value) for value in values])

    async def settle(self) -> None:
        """Wait until every service has read all that there is, and all that follows from it."""
        ends: dict[TopicPartition, int] = {}
        while (now := await self._ends()) != ends:
            ends = now
            await eventually(self._all_read, 120)

    async def pass_time(self, span: timedelta) -> None:
        """Let time go by, and do what is due."""
        self.clock.moment += span
        for service in self.services.values():
            runner = TaskRunner(service.connected.transactor, service.kinds)
            while await runner.run_next():
                pass
        await self.settle()

    async def documents(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Every document of every database, with "service.collection"."""
        for name, service in self.services.items():
            database = service.connected.database
            for collection in await database.list_collection_names():
                async for document in database[collection].find():
                    yield f"{name}.{collection}", document

    async def records(self, topic: Topic) -> list[ConsumerRecord]:
        """What stands on a topic."""
        return await read_topic(self.kafka, topic)

    @property
    def signed_token(self) -> str:
        """A token that somebody may use."""
        claims = AppealGrant("g1", "u1", "s1").claims
        return self.links.create_token(APPEAL_LINK_PURPOSE, claims, self.clock.now() + timedelta(days=7))

    def seen(self) -> dict[str, list[str]]:
        """Logs, metrics and spans as texts."""
        return {
            "log": self.lines.getvalue().splitlines(),
            "metrics": generate_latest().decode().splitlines(),
            "spans": [span.to_json() for span in self.spans.get_finished_spans()],
        }

    async def _ends(self) -> dict[TopicPartition, int]:
        reader = next(iter(self.readers.values()))
        return dict(await reader.end_offsets(_places(self.kafka, TOPICS)))

    async def _all_read(self) -> bool:
        ends = await self._ends()
        for name, reader in self.readers.items():
            for place in _places(self.kafka, self.services[name].topics):
                if ends[place] and (await reader.committed(place) or 0) < ends[place]:
                    return False
        return True


def _places(kafka: KafkaOptions, topics: Sequence[Topic]) -> list[TopicPartition]:
    return [TopicPartition(kafka.prefix + topic.name, number) for topic in topics for number in range(PARTITIONS)]


@contextmanager
def watched() -> Iterator[tuple[StringIO, InMemorySpanExporter]]:
    """Keep every log line at the lowest level, and every span."""
    root = logging.getLogger()
    handlers, level, provider = root.handlers, root.level, tracing._provider
    lines, spans = StringIO(), InMemorySpanExporter()
    configure_logs("privacy", "debug", lines)
    tracing._provider = TracerProvider(shutdown_on_exit=False)
    tracing._provider.add_span_processor(SimpleSpanProcessor(spans))
    yield lines, spans
    tracing._provider = provider
    root.handlers = handlers
    root.setLevel(level)


@asynccontextmanager
async def open_house(stack: Stack, kafka: KafkaOptions) -> AsyncIterator[House]:
    """Run all services with databases and topics of their own; gone at the end."""
    await create_topics(kafka, partitions=PARTITIONS, replication=1)
    settings = Settings(
        mongo_url=stack.mongo_url,
        database_prefix=f"{kafka.prefix.replace('.', '_').replace('-', '_')}",
        kafka_bootstrap=stack.bootstrap,
        topic_prefix=kafka.prefix,
        kafka_idempotent=stack.broker.producer_ids,
        hash_key=SecretStr("a key of these tests"),
        link_key=SecretStr("a third key of these tests"),
        encryption_key=SecretStr("another key of these tests"),
        public_url="https://groups.example.com",
        four_eyes=False,
        rate_limit_caller=100_000,
        rate_limit_address=100_000,
        rate_limit_page=100_000,
        rate_limit_link=100_000,
    )
    clock, links = ManualClock(), SignedLinks(settings.rotating_link_key, settings.public_url)
    with watched() as (lines, spans):
        house = House(kafka, clock, links, lines, spans)
        async with AsyncExitStack() as opened:
            for name in SERVICES:
                service, parts = await _open(opened, house, name, settings)
                house.services[name] = service
                group = f"{kafka.prefix}huiqun.{name}"
                reader = AIOKafkaConsumer(**kafka.client_arguments(), group_id=group, enable_auto_commit=False)
                house.readers[name] = await opened.enter_async_context(reader)
                reader.assign(_places(kafka, service.topics))
                for part in parts:
                    await opened.enter_async_context(running_component(part))
            yield house


async def _open(
    opened: AsyncExitStack, house: House, name: str, settings: Settings
) -> tuple[Service, Sequence[Component]]:
    module: Any = SERVICES[name]
    mine: ServiceSettings = settings.model_copy(update={"api_port": free_port(), "metrics_port": free_port()})
    connected = await opened.enter_async_context(prepare_connections(name, mine, module.INDEXES))
    opened.push_async_callback(connected.client.drop_database, connected.database.name)
    connected.transactor.clock = house.clock
    connected = replace(connected, clock=house.clock)
    directory = Directory(connected.encryption, connected.suppression)
    parts: list[Component] = []
    if name == "moderation":
        keeper = RulebookKeeper(connected.database)
        connected.startup.add_step(
            partial(import_shipped_lists, OutsideTransaction(connected.database), connected.transactor)
        )
        connected.startup.add_step(keeper.refresh)
        parts.append(keeper)
        hashed_under = settings.rotating_hash_key.current
        routes = module.routes(keeper.current, directory, hashed_under, appeal_link_maker(house.links))
        tasks, interface = (
            module.task_kinds(house.links, connected.database, keeper.current, directory),
            module.interface(settings, keeper.current, house.links, directory),
        )
    else:
        routes = module.routes(directory)
        tasks = module.task_kinds(connected.database, directory)
        interface = module.interface(directory)
    await connected.startup.run_steps()
    api = HttpComponent(interface, mine, connected, [])
    parts += [api, *engine_components(connected, frozenset({"streams"}), routes, {})]
    key = await create_api_key(OutsideTransaction(connected.database), "tester", ["admin"])
    transport = httpx.AsyncHTTPTransport(retries=5)  # until the server listens
    http = await opened.enter_async_context(
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{mine.api_port}", transport=transport, headers={"X-API-Key": key}, timeout=60
        )
    )
    return Service(connected, api.app, http, routes, tasks), parts

"""A handler that waits for ever is told apart from a topic on which nothing happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from huiqun.contracts.channel import MemberJoined, MessageReceived
from huiqun.kafka import KafkaOptions
from huiqun.runtime.health import Heartbeat
from huiqun.service.api import HttpComponent, HttpInterface
from huiqun.service.connections import Connections, prepare_connections
from huiqun.service.settings import ServiceSettings
from huiqun.stream import BatchConsumer, ConsumerOptions, Route
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from local.ports import LOOPBACK, free_port
from local.stack import SESSION_TIMEOUT_MILLISECONDS, Stack

SERVICE = "survey"
STUCK_SECONDS = 3.0


@pytest.fixture
def settings(stack: Stack, kafka_options: KafkaOptions, database_name: str) -> ServiceSettings:
    return ServiceSettings(
        mongo_url=stack.mongo_url,
        database_prefix=f"{database_name}_",
        kafka_bootstrap=stack.bootstrap,
        kafka_idempotent=kafka_options.idempotent,
        kafka_session_timeout_ms=SESSION_TIMEOUT_MILLISECONDS,
        topic_prefix=kafka_options.prefix,
        hash_key=SecretStr("a key of these tests"),
        link_key=SecretStr("a third key of these tests"),
        encryption_key=SecretStr("another key of these tests"),
    )


@pytest_asyncio.fixture
async def connected(settings: ServiceSettings) -> AsyncIterator[Connections]:
    async with prepare_connections(SERVICE, settings, {}) as opened:
        await opened.startup.run_steps()
        yield opened
        await opened.client.drop_database(opened.database.name)


async def answers(port: int) -> tuple[int, int]:
    """What /healthz and /readyz say."""
    transport = httpx.AsyncHTTPTransport(retries=5)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=10, transport=transport) as http:
        return (await http.get("/healthz")).status_code, (await http.get("/readyz")).status_code


async def test_a_handler_that_waits_for_ever_fails_liveness_and_an_idle_topic_does_not(
    rig: Rig, settings: ServiceSettings, connected: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Heartbeat, "stuck_seconds", STUCK_SECONDS)

    async def wait_for_ever(_work: Work, _events: Sequence[MessageReceived | MemberJoined]) -> None:
        await asyncio.Event().wait()

    def consumer(name: str, kind: type[MessageReceived | MemberJoined]) -> tuple[BatchConsumer, HttpComponent, int]:
        route, port = Route((kind,), wait_for_ever), free_port()
        part = BatchConsumer(name, [route], connected.transactor, settings.kafka, ConsumerOptions(lanes=1))
        own = settings.model_copy(update={"api_port": port})
        return part, HttpComponent(HttpInterface(service=SERVICE, description="x"), own, connected, [part]), port

    stuck, stuck_api, stuck_port = consumer("stuck", MessageReceived)
    idle, idle_api, idle_port = consumer("idle", MemberJoined)
    async with running_component(stuck_api), running_component(idle_api), running_component(idle):
        hanging = asyncio.create_task(stuck.run(asyncio.Event()))
        await rig.broker.send(message_received(1))

        async def is_stuck() -> bool:
            return (await answers(stuck_port))[0] == httpx.codes.SERVICE_UNAVAILABLE

        await eventually(is_stuck)
        assert await answers(idle_port) == (200, 200)
        hanging.cancel()
        await asyncio.wait({hanging}, timeout=10)

"""The HTTP part of a process answers for the other parts, on a real store and a real broker."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr

from huiqun.kafka.topics import create_topics
from huiqun.runtime.health import Heartbeat
from huiqun.service.api import HttpComponent, HttpInterface
from huiqun.service.connections import Connections, prepare_connections
from huiqun.service.settings import ServiceSettings
from huiqun.testing.waiting import eventually, running_component
from huiqun.web import readiness
from local.ports import free_port
from local.stack import Stack


class Loop:
    """A part that does nothing, with a heartbeat to play with."""

    name = "loop"

    def __init__(self) -> None:
        self.heartbeat = Heartbeat()

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()


@pytest.fixture
def settings(stack: Stack, database_name: str, topic_prefix: str) -> ServiceSettings:
    return ServiceSettings(
        mongo_url=stack.mongo_url,
        database_prefix=f"{database_name}_",
        kafka_bootstrap=stack.bootstrap,
        kafka_idempotent=stack.broker.producer_ids,
        topic_prefix=topic_prefix,
        api_port=free_port(),
        hash_key=SecretStr("a key of these tests"),
        link_key=SecretStr("a third key of these tests"),
        encryption_key=SecretStr("another key of these tests"),
    )


@pytest_asyncio.fixture
async def connected(settings: ServiceSettings) -> AsyncIterator[Connections]:
    await create_topics(settings.kafka, partitions=1, replication=1)
    async with prepare_connections("survey", settings, {}) as open_connections:
        await open_connections.startup.run_steps()
        yield open_connections
        await open_connections.client.drop_database(open_connections.database.name)


async def test_a_process_without_routes_answers_for_its_health_and_names_the_part_that_is_not_well(
    settings: ServiceSettings, connected: Connections
) -> None:
    loop, stop = Loop(), asyncio.Event()
    api = HttpComponent(HttpInterface(service="survey", description="x"), settings, connected, [loop])
    serving = asyncio.create_task(api.run(stop))
    transport = httpx.AsyncHTTPTransport(retries=5)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.api_port}", transport=transport) as http:
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        checks = ["startup", "store", "broker", "topics", "loop"]
        assert (ready.status_code, ready.json()["checks"]) == (200, checks)
        loop.heartbeat.mark_failing(ConnectionError("away"))
        response = await http.get("/readyz")
        assert (response.status_code, response.json()["detail"]) == (503, "No answer from: loop.")
        assert (await http.get("/healthz")).status_code == 200
        loop.heartbeat.mark_healthy()
        assert (await http.get("/readyz")).status_code == 200
        loop.heartbeat._last -= 1_000
        assert (await http.get("/healthz")).status_code == 503
        assert (await http.get("/metrics")).status_code == 404
        figures = await http.get(f"http://127.0.0.1:{settings.port_of_metrics}/metrics")
        assert "huiqun_build_info" in figures.text
    stop.set()
    await serving


async def test_readiness_is_exported_whether_or_not_anybody_asks_for_it(
    settings: ServiceSettings, connected: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_EVERY_SECONDS", 0.02)
    loop = Loop()

    def exported(check: str) -> float | None:
        return REGISTRY.get_sample_value("huiqun_ready", {"check": check})

    async with running_component(
        HttpComponent(HttpInterface(service="survey", description="x"), settings, connected, [loop])
    ):
        await eventually(lambda: exported("loop") == exported("store") == exported("broker") == 1)
        loop.heartbeat.mark_failing(ConnectionError("away"))
        await eventually(lambda: exported("loop") == 0)
        assert exported("store") == exported("broker") == 1
        loop.heartbeat.mark_healthy()
        await eventually(lambda: exported("loop") == 1)


async def test_the_indexes_of_interface_and_audit_log_are_there_from_the_start(connected: Connections) -> None:
    names = set(await connected.database.list_collection_names())
    assert {"api_keys", "idempotency_keys", "audit_log", "audit_head", "outbox"} <= names


async def test_half_an_identity_provider_is_refused_at_the_start(
    settings: ServiceSettings, connected: Connections
) -> None:
    half = settings.model_copy(update={"oidc_issuer": "https://id.example.com"})
    with pytest.raises(ValueError, match="HUIQUN_OIDC_JWKS_URL"):
        HttpComponent(HttpInterface(service="survey", description="x"), half, connected, [])

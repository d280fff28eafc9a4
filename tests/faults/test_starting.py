"""A process whose servers are away when it starts: it lives, says what it waits for, and begins when they come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.stack import Stack
from tests.faults.invariants import has_judged
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of


async def says(process: ServiceProcess, path: str, status: int) -> bool:
    answer = await process.get(path)
    return answer is not None and answer.status_code == status


@asynccontextmanager
async def stack_without(server: str) -> AsyncIterator[Stack]:
    """A stack one of whose servers has not been started yet."""
    stack = Stack()
    try:
        await (stack.broker if server == "mongod" else stack.mongod).start()
        yield stack
    finally:
        await stack.stop()


@pytest.mark.parametrize(("server", "silent"), [("mongod", "store"), ("broker", "broker")])
async def test_a_process_waits_for_a_server_that_is_away_and_begins_when_it_comes(
    server: str, silent: str, tmp_path: Path
) -> None:
    async with stack_without(server) as stack:
        environment = environment_of(stack, "start.", "start")
        process = ServiceProcess("moderation", tmp_path, environment, roles="streams,tasks,api")
        async with process:
            await eventually(lambda: says(process, "/healthz", 200))
            ready = await process.get("/readyz")
            assert ready is not None
            assert ready.status_code == 503
            assert {"startup", silent} <= set(ready.json()["detail"].replace(",", "").rstrip(".").split())
            early = await process.get("/api/v1/lexicon/lists")
            assert early is not None
            assert (early.status_code, early.json()["type"]) == (503, "urn:huiqun:problem:starting")
            await (stack.mongod if server == "mongod" else stack.broker).start()
            async with Rig.open(
                stack.mongo_url, "start", HANDLED_INDEXES, kafka=kafka_options_of(stack, "start.")
            ) as rig:
                await eventually(process.is_ready, 60)
                await rig.broker.send(message_received(1))
                await eventually(lambda: has_judged(rig.client["start_moderation"], 1), 60)
                assert await says(process, "/api/v1/lexicon/lists", 401)
                assert await process.stop() == 0


async def test_a_process_that_waits_for_its_servers_stops_when_it_is_told_to(tmp_path: Path) -> None:
    nowhere = {
        "HUIQUN_MONGO_URL": "mongodb://127.0.0.1:9/?replicaSet=rs0",
        "HUIQUN_KAFKA_BOOTSTRAP": "127.0.0.1:9",
        "HUIQUN_HASH_KEY": "a key of these tests",
        "HUIQUN_ENCRYPTION_KEY": "another key of these tests",
        "HUIQUN_LINK_KEY": "a third key of these tests",
    }
    async with ServiceProcess("survey", tmp_path, nowhere) as process:
        await eventually(lambda: says(process, "/healthz", 200))
        assert await says(process, "/readyz", 503)
        assert await process.stop() == 0

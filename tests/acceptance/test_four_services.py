"""The four services as a user starts them: what a channel says reaches each one's documents, and SIGTERM ends them."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from huiqun.contracts.channel import Group, GroupCreated, Member, MemberJoined, Message, MessageReceived, Sender
from huiqun.contracts.envelope import Event
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import Record, event_record
from huiqun.kafka.topics import create_topics
from huiqun.store import Client, OutsideTransaction, connect
from huiqun.web import create_api_key
from local.ports import free_port
from local.stack import Stack
from tests.metric_rules import find_metric_violations

SERVICES = ("moderation", "engagement", "crm_sync", "survey")


@asynccontextmanager
async def service(name: str, environment: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", name, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield process
    except BaseException as error:
        error.add_note(last_words(name, log))
        raise
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def last_words(name: str, log: Path) -> str:
    return f"{name}: {log.read_text(encoding='utf-8')[-2000:]}"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(120):
        while not await condition():  # noqa: ASYNC110 (a database sets no event)
            await asyncio.sleep(0.05)


async def say(kafka: KafkaOptions, *records: Record) -> None:
    publisher = Publisher(kafka)
    try:
        await publisher.publish(records)
    finally:
        await publisher.stop()


def a_customer_comes_and_writes() -> tuple[Event, ...]:
    now = datetime.now(UTC)
    member = Member(group_id="g1", member_id="u1", display_name="王女士", external_ids={"unionid": "union-1"})
    message = Message(message_id="m1", group_id="g1", sender=Sender(member_id="u1"), text="利率是多少？", sent_at=now)
    return (
        GroupCreated.create("g1", Group(group_id="g1"), time=now),
        MemberJoined.create("g1", member, time=now),
        MessageReceived.create("g1", message, time=now),
    )


def bad_records() -> tuple[Record, ...]:
    """No event, and good ones under another key than their own and under none."""
    good = [event_record(event) for event in a_customer_comes_and_writes()][-1]
    return good._replace(value=b"{"), good._replace(key=b"g2"), good._replace(key=None)


def environment_of_ports(port: int, metrics_port: int) -> dict[str, str]:
    return {"HUIQUN_API_PORT": str(port), "HUIQUN_METRICS_PORT": str(metrics_port)}


async def figures_after_trouble(port: int, metrics_port: int) -> str:
    """The /metrics of a service after requests that are none."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for number in range(3):
            await http.get(f"/nowhere/{number}")
            await http.request("PROPFIND", "/healthz")
            await http.post("/api/v1/openapi.json", content=b"{")
        return (await http.get(f"http://127.0.0.1:{metrics_port}/metrics")).text


async def check_figures(ports: Mapping[str, tuple[int, int]], log: Callable[[], str]) -> None:
    """All that is declared is emitted, with labels that are known before, and the dead letters have lines."""
    figures = {name: await figures_after_trouble(*ports[name]) for name in SERVICES}
    declaring = (
        "huiqun.telemetry.metrics",
        "huiqun.channel.actions.metrics",
        *(f"{name}.metrics" for name in SERVICES),
    )
    assert find_metric_violations(figures.values(), *declaring) == []
    assert all('huiqun_ready{check="store"} 1.0' in each for each in figures.values())
    assert 'reason="undecodable",topic="channel.messages.v1"} 1.0' in figures["moderation"]
    assert 'reason="key",topic="channel.messages.v1"} 2.0' in figures["moderation"]
    lines = [json.loads(line) for line in log().splitlines() if '"dead_letter"' in line]
    assert sorted(line["kind"] for line in lines) == ["key", "key", "undecodable"]
    assert {line["topic"] for line in lines} == {"channel.messages.v1"}


async def documents(client: Client, prefix: str) -> dict[str, Any]:
    return {
        "activity": await client[f"{prefix}engagement"]["activity"].find_one({"_id": "g1/u1", "days": {"$ne": {}}}),
        "customer": await client[f"{prefix}crm_sync"]["members"].find_one({"ids.value": "union-1"}),
        "eligibility": await client[f"{prefix}survey"]["eligibility"].find_one({"_id": "g1/u1", "reason": None}),
    }


async def test_four_services_start_keep_their_documents_show_them_and_stop_in_time(
    stack: Stack, kafka_options: KafkaOptions, database_name: str, tmp_path: Path
) -> None:
    prefix = f"{database_name}_"
    shared = {**stack.environment, "HUIQUN_TOPIC_PREFIX": kafka_options.prefix, "HUIQUN_DATABASE_PREFIX": prefix}
    ports = {name: (free_port(), free_port()) for name in SERVICES}
    client = connect(stack.mongo_url)
    await create_topics(kafka_options, partitions=2, replication=1)
    async with AsyncExitStack() as running:
        processes = [
            await running.enter_async_context(
                service(name, {**shared, **environment_of_ports(*ports[name])}, tmp_path / f"{name}.log")
            )
            for name in SERVICES
        ]
        await say(kafka_options, *bad_records(), *map(event_record, a_customer_comes_and_writes()))

        async def arrived() -> bool:
            assert all(process.returncode is None for process in processes)
            return all((await documents(client, prefix)).values())

        await until(arrived)
        found = await documents(client, prefix)
        assert list(found["activity"]["days"].values()) == [1]

        for name, path in (
            ("engagement", "/api/v1/groups/g1/activity/u1"),
            ("crm_sync", "/api/v1/customers/union-1"),
            ("survey", "/api/v1/groups/g1/eligibility/u1"),
        ):
            key = await create_api_key(OutsideTransaction(client[f"{prefix}{name}"]), "test", ["operator"])
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[name][0]}") as http:
                assert (await http.get("/readyz")).status_code == 200
                assert (await http.get(path)).status_code == 401
                shown = await http.get(path, headers={"X-API-Key": key})
                assert (shown.status_code, shown.json().get("display_name", "王女士")) == (200, "王女士")

        await check_figures(ports, lambda: (tmp_path / "moderation.log").read_text(encoding="utf-8"))

        asked = time.monotonic()
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = await asyncio.gather(*(process.wait() for process in processes))
        assert codes == [0, 0, 0, 0]
        assert time.monotonic() - asked < 10
    for name in SERVICES:
        await client.drop_database(f"{prefix}{name}")
    await client.close()

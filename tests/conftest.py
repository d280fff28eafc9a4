"""The servers every test may use: one embedded stack a session, names of its own for each test."""

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import pytest_asyncio
from hypothesis import settings
from pymongo import AsyncMongoClient

from huiqun.kafka import KafkaOptions
from huiqun.store import Driver, MongoOptions
from huiqun.testing.rig import Rig
from local.proxy import Proxy
from local.stack import Stack
from tests.servers import HANDLED_INDEXES, kafka_options_of, new_database_name

# Workers that share the tests are told of a terminal of 80 columns; a test says itself how wide its own is.
os.environ.pop("COLUMNS", None)

# What a property takes says how busy the machine is, not whether the property holds.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

ON_KAFKA = os.environ.get("BROKER") == "kafka"
ROOT = Path(__file__).parent
LONG = {ROOT / "acceptance", ROOT / "faults"}
BROKER_FIXTURES = {"stack", "own_stack", "bootstrap", "kafka_options", "proxy"}
ON_BOTH_DRIVERS = ("tests.common.test_store", "tests.common.test_stream_", "tests.common.tasks.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that touch a broker: `make test BROKER=kafka` runs these once more, on Apache Kafka.

    Those that only make sense there (Tansu keeps nothing) are no part of a run on Tansu.
    """
    for item in items:
        if isinstance(item, pytest.Function) and BROKER_FIXTURES & set(item.fixturenames):
            item.add_marker("broker")
    if not ON_KAFKA:
        meaningless = [item for item in items if item.get_closest_marker("kafka_only")]
        items[:] = [item for item in items if item not in meaningless]
        config.hook.pytest_deselected(items=meaningless)
    items[:] = spread(items)


def spread(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests file by file, the files that take long and wait much between those that only compute.

    Workers that share the tests do not all begin such a file at once then, nor the last one when the others are done.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    long = [path for path in files if path.parent in LONG]
    short = [path for path in files if path.parent not in LONG]
    places = {path: number / len(several) for several in (long, short) for number, path in enumerate(several)}
    return [item for path in sorted(files, key=places.__getitem__) for item in files[path]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of store, stream and tasks with both drivers of MongoDB.

    On Apache Kafka, those of the stream run twice for another reason: on its open port, and signed in over TLS.
    """
    name = metafunc.module.__name__
    of_stream = name.rpartition(".")[2].startswith("test_stream_")
    if ON_KAFKA and of_stream and "kafka_options" in metafunc.fixturenames:
        metafunc.parametrize("kafka_options", [None, "SASL_SSL"], ids=["open", "SASL_SSL"], indirect=True)
    if not ON_KAFKA and name.startswith(ON_BOTH_DRIVERS) and "mongo_options" in metafunc.fixturenames:
        metafunc.parametrize("mongo_options", get_args(Driver), indirect=True)


@pytest_asyncio.fixture(scope="session")
async def session_stack() -> AsyncIterator[Stack]:
    """The servers that all tests of the session share; Apache Kafka has ports for clients that sign in."""
    async with Stack(secured=True) as running:
        yield running


@pytest.fixture
def stack(session_stack: Stack) -> Stack:
    """MongoDB and the broker of the session. A test that stops or kills one takes `own_stack` instead."""
    return session_stack


@pytest_asyncio.fixture
async def own_stack() -> AsyncIterator[Stack]:
    """A stack for this test alone, which it may break."""
    async with Stack() as running:
        yield running


@pytest.fixture(scope="session")
def mongo_url(session_stack: Stack) -> str:
    return session_stack.mongo_url


@pytest.fixture
def mongo_options(mongo_url: str, request: pytest.FixtureRequest) -> MongoOptions:
    """How the test reaches MongoDB: with PyMongo's client, or with the driver it names."""
    return MongoOptions(mongo_url, driver=getattr(request, "param", "pymongo"))


@pytest.fixture
def bootstrap(session_stack: Stack) -> str:
    return session_stack.bootstrap


@pytest_asyncio.fixture
async def database_name(mongo_url: str) -> AsyncIterator[str]:
    """A database of the test's own, dropped afterwards."""
    name = new_database_name()
    yield name
    async with AsyncMongoClient[dict[str, object]](mongo_url) as client:
        await client.drop_database(name)


@pytest.fixture
def topic_prefix() -> str:
    """What to put before the names of topics and consumer groups, so that tests do not hear one another."""
    return f"test-{uuid.uuid4().hex[:12]}."


@pytest.fixture
def kafka_options(session_stack: Stack, topic_prefix: str, request: pytest.FixtureRequest) -> KafkaOptions:
    """How the test reaches the broker: topics and groups of its own, quick joins; on the listener it names."""
    options = kafka_options_of(session_stack, topic_prefix)
    listener = getattr(request, "param", None)
    if listener is None:
        return options
    assert session_stack.secured is not None
    security = session_stack.secured.security(listener)
    return replace(options, bootstrap=session_stack.secured.bootstrap(listener), security=security)


@pytest_asyncio.fixture
async def rig(kafka_options: KafkaOptions, mongo_options: MongoOptions, database_name: str) -> AsyncIterator[Rig]:
    """A service's connections to the servers of the session, with topics and a database of the test's own."""
    async with Rig.open(mongo_options, database_name, HANDLED_INDEXES, kafka=kafka_options) as opened:
        yield opened


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy without a target yet: give its port to `Stack(advertise=...)`, then set its target."""
    async with Proxy() as running:
        yield running

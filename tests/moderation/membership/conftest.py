"""Groups on a real database, with a clock that tests set."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.store import Client, connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.web import WEB_INDEXES
from huiqun.work import WORK_INDEXES, Transactor
from local.stack import Stack
from moderation.app import INDEXES
from tests.moderation.membership.community import Community, SetClock

COLLECTIONS = {**WORK_INDEXES, **TASK_INDEXES, **AUDIT_INDEXES, **WEB_INDEXES, **INDEXES}


@pytest_asyncio.fixture(scope="session")
async def client(session_stack: Stack) -> AsyncIterator[Client]:
    client = connect(session_stack.mongo_url)
    yield client
    await client.close()


@pytest_asyncio.fixture(scope="session")
async def database_of_communities(client: Client) -> AsyncIterator[str]:
    """Making the collections takes longer than most of these tests: they share one database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await ensure_indexes(client[name], COLLECTIONS)
    yield name
    await client.drop_database(name)


@pytest_asyncio.fixture
async def community(client: Client, database_of_communities: str) -> Community:
    """Moderation without a broker: events are handed to its routes, and what it emits is kept."""
    database = client[database_of_communities]
    await asyncio.gather(*(database[name].delete_many({}) for name in COLLECTIONS))
    return Community(Transactor(client, database, Publisher(KafkaOptions("nowhere")), SetClock()))

"""Moderation on a real database that tests share; each has a group of its own."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.audit import AUDIT_INDEXES
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.store import connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.work import WORK_INDEXES, Transactor
from huiqun.work.task import TASKS
from local.stack import Stack
from moderation.app import INDEXES
from tests.moderation.bench import Bench
from tests.moderation.membership.community import SetClock


@pytest_asyncio.fixture(scope="session")
async def transactor(session_stack: Stack) -> AsyncIterator[Transactor]:
    client = connect(session_stack.mongo_url)
    database = client[f"test_{uuid.uuid4().hex[:12]}"]
    await ensure_indexes(database, {**WORK_INDEXES, **TASK_INDEXES, **AUDIT_INDEXES, **INDEXES})
    yield Transactor(client, database, Publisher(KafkaOptions("nowhere")), SetClock())
    await client.drop_database(database.name)
    await client.close()


@pytest_asyncio.fixture
async def bench(transactor: Transactor) -> Bench:
    await transactor.database[TASKS].delete_many({})
    bench = Bench(transactor)
    await bench.know_group()
    return bench

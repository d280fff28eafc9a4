"""Actions without a broker, under a clock that the test sets."""

from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.channel.actions.store import ACTION_INDEXES
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.store import connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.work import WORK_INDEXES, Transactor
from tests.clocks import SetClock
from tests.common.channel.bench import NOON, ActionsBench
from tests.directories import open_directory


@pytest_asyncio.fixture
async def bench(mongo_url: str, database_name: str) -> AsyncIterator[ActionsBench]:
    client = connect(mongo_url)
    database = client[database_name]
    await ensure_indexes(database, {**WORK_INDEXES, **TASK_INDEXES, **DIRECTORY_INDEXES, **ACTION_INDEXES})
    transactor = Transactor(client, database, Publisher(KafkaOptions("nowhere")), SetClock(NOON))
    bench = ActionsBench(transactor, await open_directory(database))
    await bench.know_group()
    yield bench
    await client.close()

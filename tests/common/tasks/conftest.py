"""Tasks without a broker, under a clock that the test sets."""

from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.kafka import KafkaOptions, Publisher
from huiqun.store import MongoOptions, connect, ensure_indexes
from huiqun.tasks import store
from huiqun.work import WORK_INDEXES, Transactor
from local.ports import free_port
from tests.clocks import SetClock
from tests.common.tasks.bench import NOW


@pytest_asyncio.fixture
async def transactor(mongo_options: MongoOptions, database_name: str) -> AsyncIterator[Transactor]:
    client = connect(mongo_options)
    await ensure_indexes(client[database_name], {**WORK_INDEXES, **store.TASK_INDEXES, "ran": ()})
    publisher = Publisher(KafkaOptions(f"127.0.0.1:{free_port()}"))
    yield Transactor(client, client[database_name], publisher, SetClock(NOW))
    await client.close()

"""Actions on one database that the tests share, at noon."""

from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.channel.actions.store import ACTION_INDEXES
from huiqun.channel.directory.store import DIRECTORY_INDEXES
from huiqun.testing.events import NOON
from tests.common.channel.bench import ActionsBench
from tests.servers import new_database_name


@pytest_asyncio.fixture(scope="session")
async def one_bench(mongo_url: str) -> AsyncIterator[ActionsBench]:
    async with ActionsBench.open(mongo_url, new_database_name(), {**DIRECTORY_INDEXES, **ACTION_INDEXES}) as opened:
        yield opened


@pytest_asyncio.fixture
async def bench(one_bench: ActionsBench) -> ActionsBench:
    await one_bench.clear()
    one_bench.clock.moment = NOON
    await one_bench.know_group()
    return one_bench

"""Tasks without a broker, under a clock that the test sets."""

from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.store import MongoOptions
from huiqun.testing.clock import ManualClock
from huiqun.testing.rig import Rig
from huiqun.work import Transactor
from tests.common.tasks.bench import NOW


@pytest_asyncio.fixture
async def transactor(mongo_options: MongoOptions, database_name: str) -> AsyncIterator[Transactor]:
    async with Rig.open(mongo_options, database_name, {"ran": ()}, clock=ManualClock(NOW)) as rig:
        yield rig.transactor

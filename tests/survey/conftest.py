"""The service on one database that its tests share: to make one takes longer than most of them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.testing.clock import ManualClock
from huiqun.testing.events import NOON
from huiqun.testing.rig import Rig
from survey.app import routes, task_kinds
from survey.documents import INDEXES
from survey.interface import ROUTERS
from tests.servers import new_database_name


@pytest_asyncio.fixture(scope="session")
async def one_rig(mongo_url: str) -> AsyncIterator[Rig]:
    async with Rig.open(mongo_url, new_database_name(), INDEXES, clock=ManualClock(NOON)) as opened:
        kinds = task_kinds(opened.database, opened.directory)
        opened.wire(routes=routes(opened.directory), task_kinds=kinds, routers=ROUTERS)
        yield opened


@pytest_asyncio.fixture
async def rig(one_rig: Rig) -> Rig:
    await one_rig.clear()
    return one_rig

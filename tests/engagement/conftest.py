"""The service on one database that its tests share: to make one takes longer than most of them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from engagement.app import INDEXES, ROUTERS, routes
from huiqun.testing.rig import Rig
from tests.servers import new_database_name


@pytest_asyncio.fixture(scope="session")
async def one_rig(mongo_url: str) -> AsyncIterator[Rig]:
    async with Rig.open(mongo_url, new_database_name(), INDEXES) as opened:
        opened.wire(routes=routes(opened.directory), routers=ROUTERS)
        yield opened


@pytest_asyncio.fixture
async def rig(one_rig: Rig) -> Rig:
    await one_rig.clear()
    return one_rig

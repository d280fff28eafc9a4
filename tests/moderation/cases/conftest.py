"""A desk for every test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.moderation.desk import Desk, open_desk


@pytest_asyncio.fixture
async def desk(mongo_url: str, database_name: str) -> AsyncIterator[Desk]:
    async with open_desk(mongo_url, database_name) as opened:
        yield opened

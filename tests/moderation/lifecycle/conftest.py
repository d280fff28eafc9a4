"""A desk for every test of edits and recalls: one database for all of them, tidied up before each."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from local.stack import Stack
from tests.moderation.desk import Desk, open_desk


@pytest_asyncio.fixture(scope="session")
async def shared_desk(session_stack: Stack) -> AsyncIterator[Desk]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    async with open_desk(session_stack.mongo_url, name) as opened:
        yield opened
        await opened.inlet.database.client.drop_database(name)


@pytest_asyncio.fixture
async def desk(shared_desk: Desk) -> Desk:
    await shared_desk.tidy()
    return shared_desk

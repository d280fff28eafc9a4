"""A desk for each test, over one database that is emptied in between, and the people who work at it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from pymongo import AsyncMongoClient

from local.stack import Stack
from tests.moderation.incidents.desk import Caller, Desk, open_desk, prepare

DATABASE = "test_incidents"


@pytest_asyncio.fixture(scope="session")
async def prepared(session_stack: Stack) -> AsyncIterator[str]:
    """To make the collections and indexes anew for each test would take longer than the tests."""
    await prepare(session_stack.mongo_url, DATABASE)
    yield session_stack.mongo_url
    async with AsyncMongoClient[dict[str, object]](session_stack.mongo_url) as client:
        await client.drop_database(DATABASE)


@pytest_asyncio.fixture
async def desk(prepared: str) -> AsyncIterator[Desk]:
    async with open_desk(prepared, DATABASE) as opened:
        yield opened


@pytest_asyncio.fixture
async def admin(desk: Desk) -> AsyncIterator[Caller]:
    async with desk.caller("admin") as caller:
        yield caller


@pytest_asyncio.fixture
async def approver(desk: Desk) -> AsyncIterator[Caller]:
    """Another admin, who writes no plans."""
    async with desk.caller("admin") as caller:
        yield caller


@pytest_asyncio.fixture
async def moderator(desk: Desk) -> AsyncIterator[Caller]:
    async with desk.caller("moderator") as caller:
        yield caller


@pytest_asyncio.fixture
async def auditor(desk: Desk) -> AsyncIterator[Caller]:
    async with desk.caller("auditor") as caller:
        yield caller

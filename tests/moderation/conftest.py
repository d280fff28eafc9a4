"""Moderation on one database that all tests share: to make one takes longer than most of them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from huiqun.testing.waiting import running_component
from moderation.documents import INDEXES
from tests.moderation.interface import Interface, serve_interface
from tests.moderation.rig import ModerationRig
from tests.servers import new_database_name


@pytest_asyncio.fixture(scope="session")
async def one_rig(mongo_url: str) -> AsyncIterator[ModerationRig]:
    async with ModerationRig.open(mongo_url, new_database_name(), INDEXES) as opened:
        yield opened


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    """Moderation as on its first day."""
    await one_rig.start_over()
    return one_rig


@pytest_asyncio.fixture(scope="session")
async def interface(mongo_url: str) -> AsyncIterator[Interface]:
    """The interface that many tests share: each uses ids of its own."""
    async with serve_interface(mongo_url) as served:
        yield served


@pytest_asyncio.fixture
async def own_interface(mongo_url: str) -> AsyncIterator[Interface]:
    """An interface with a database that nobody else has written to."""
    async with serve_interface(mongo_url) as served:
        yield served


@pytest_asyncio.fixture
async def with_tasks(interface: Interface) -> AsyncIterator[Interface]:
    """The interface, with the tasks of the service running."""
    async with running_component(interface.rig.task_runner()):
        yield interface

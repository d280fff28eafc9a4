"""Groups whose channel does at once what it is asked for, and the people who work on incidents in them."""

import pytest_asyncio

from huiqun.web import create_api_key
from tests.moderation.incidents.scene import Caller
from tests.moderation.rig import ModerationRig


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    await one_rig.start_over()
    one_rig.follows_actions = True
    return one_rig


@pytest_asyncio.fixture
async def admin(rig: ModerationRig) -> Caller:
    return Caller(await rig.http("admin"))


@pytest_asyncio.fixture
async def approver(rig: ModerationRig) -> Caller:
    """Another admin, who writes no plans."""
    key = await create_api_key(rig.reader, "another admin", ["admin"])
    return Caller(await (await rig.interface()).open_client({"X-API-Key": key}))


@pytest_asyncio.fixture
async def moderator(rig: ModerationRig) -> Caller:
    return Caller(await rig.http("moderator"))


@pytest_asyncio.fixture
async def auditor(rig: ModerationRig) -> Caller:
    return Caller(await rig.http("auditor"))

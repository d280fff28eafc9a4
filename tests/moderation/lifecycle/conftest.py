"""A group with an owner, under the policy that comes with Huiqun."""

import pytest_asyncio

from tests.moderation.rig import ModerationRig


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    await one_rig.found_group()
    return one_rig

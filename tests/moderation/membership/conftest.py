"""Moderation on a Monday at noon, with a channel that does at once what it is asked for."""

import pytest_asyncio

from tests.moderation.rig import MONDAY, ModerationRig


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    await one_rig.start_over(MONDAY)
    one_rig.follows_actions = True
    return one_rig

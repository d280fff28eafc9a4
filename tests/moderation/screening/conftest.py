"""A group on a Monday at noon, under the built-in rules and a few words."""

import pytest_asyncio

from moderation.policies.sections.rules import Rules
from tests.moderation.rig import MONDAY, ModerationRig


@pytest_asyncio.fixture
async def rig(one_rig: ModerationRig) -> ModerationRig:
    await one_rig.start_over(MONDAY)
    one_rig.govern(Rules())
    await one_rig.know_group()
    return one_rig

"""Two processes share the partitions; one comes and goes under load, and there is neither gap nor double effect."""

import asyncio
import random
from pathlib import Path

from huiqun.store import Database
from tests.channel import NOON, message
from tests.faults.reckoning import TEXTS, check, has_judged, until_judged
from tests.processes import ServiceProcess
from tests.spine import Spine, eventually

MESSAGES = 6_000
ASSIGNED = "Setting newly assigned partitions {"


async def test_a_replica_comes_goes_and_comes_again_under_load(
    spine: Spine, state: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    chance = random.Random(7)
    groups = [f"g{number}" for number in range(20)]
    sent = [
        message(number, groups[number % 20], f"u{chance.randrange(50)}", chance.choice(TEXTS), NOON)
        for number in range(MESSAGES)
    ]
    feeding = asyncio.create_task(feed(spine, sent))
    first = ServiceProcess("moderation", tmp_path, environment)
    second = ServiceProcess("moderation", tmp_path, environment)
    async with first, second:
        await eventually(lambda: has_judged(state, 500), 60)
        await eventually(lambda: ASSIGNED in first.log and ASSIGNED in second.log)
        assert await second.stop() == 0
        judged = await state["messages"].count_documents({})
        await eventually(lambda: has_judged(state, judged + 200), 60)
        second.start()
        await eventually(second.is_ready)
        await feeding
        await until_judged(state, sent)
        assert [await first.stop(), await second.stop()] == [0, 0]
    await check(spine, state, sent)
    await check_order(state, groups)


async def feed(spine: Spine, sent: list) -> None:  # type: ignore[type-arg]
    """Send at a pace that lasts longer than the rebalancing."""
    for start in range(0, len(sent), 60):
        await spine.send(*sent[start : start + 60])
        await asyncio.sleep(0.1)


async def check_order(state: Database, groups: list[str]) -> None:
    """Each group was judged in its order."""
    for group in groups:
        found = state["messages"].find({"group_id": group}).sort("$natural", 1)
        numbers = [document["_id"] async for document in found]
        assert numbers == sorted(numbers)

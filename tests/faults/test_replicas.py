"""A second process comes under load and the first one goes, and there is neither gap nor double effect."""

import asyncio
import random
from pathlib import Path

from huiqun.contracts.channel import MessageReceived
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Database
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from tests.faults.invariants import TEXTS, check_invariants, has_judged, wait_until_judged
from tests.processes import ServiceProcess

GROUPS = [f"g{number}" for number in range(20)]
ASSIGNED = "Setting newly assigned partitions {"


async def test_a_replica_comes_and_another_goes_under_load(
    rig: Rig, state: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    sent: list[MessageReceived] = []
    enough = asyncio.Event()
    feeding = asyncio.create_task(feed(rig, sent, enough))
    first = ServiceProcess("moderation", tmp_path, environment)
    second = ServiceProcess("moderation", tmp_path, environment)

    async def more() -> None:
        """Wait until some of the messages sent from now on are judged."""
        known = len(sent)
        await eventually(lambda: has_judged(state, known + 200), 60)

    async with first:
        await more()
        async with second:
            await eventually(lambda: ASSIGNED in second.log)  # what it has, the first has given up
            await more()
            assert await first.stop() == 0
            await more()
            enough.set()
            await feeding
            await wait_until_judged(state, sent)
            assert await second.stop() == 0
    await check_invariants(rig, state, sent)
    await check_order(state)


async def feed(rig: Rig, sent: list[MessageReceived], enough: asyncio.Event) -> None:
    """Send 40 messages ten times a second, until it is enough."""
    chance = random.Random(7)
    while not await wait_for_stop(enough, 0.1):
        numbers = range(len(sent), len(sent) + 40)
        events = [
            message_received(n, GROUPS[n % 20], f"u{chance.randrange(50)}", chance.choice(TEXTS), NOON) for n in numbers
        ]
        await rig.broker.send(*events)
        sent += events


async def check_order(state: Database) -> None:
    """Each group was judged in its order."""
    for group in GROUPS:
        found = state["messages"].find({"group_id": group}).sort("$natural", 1)
        numbers = [document["_id"] async for document in found]
        assert numbers == sorted(numbers)

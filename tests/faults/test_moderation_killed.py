"""The moderation process dies at random moments, and no message is lost, judged twice or counted twice."""

import asyncio
import random

from huiqun.store import Database
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from tests.faults.invariants import TEXTS, check_invariants, has_judged, wait_until_judged
from tests.processes import ServiceProcess

MESSAGES = 8_000
KILLS = 3
SEED = 20261122


async def test_a_process_killed_again_and_again_judges_every_message_once(
    rig: Rig, state: Database, moderation: ServiceProcess
) -> None:
    chance = random.Random(SEED)
    sent = [
        message_received(number, f"g{number % 40}", f"u{chance.randrange(200)}", chance.choice(TEXTS), NOON)
        for number in range(MESSAGES)
    ]
    await rig.broker.send(*sent)
    async with moderation:
        for share in sorted(chance.uniform(0, 0.9) for _ in range(KILLS)):
            count = int(share * MESSAGES) + 1
            await eventually(lambda count=count: has_judged(state, count), 60)  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(0, 0.05))  # not only where a commit has just been seen
            await moderation.kill()
            moderation.start()
        await wait_until_judged(state, sent)
        assert await moderation.stop() == 0
    await check_invariants(rig, state, sent)

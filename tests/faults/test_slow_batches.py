"""Messages that take long to judge hold nobody up: not their own batch, not other groups, not the end of a process."""

import asyncio
from pathlib import Path

from huiqun.store import Database
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from tests.faults.invariants import check_invariants, wait_until_judged
from tests.processes import ServiceProcess

COSTLY = ("jiaweixin" * 223)[:2_000]


async def test_costly_messages_are_judged_by_two_replicas_while_others_are_greeted(
    rig: Rig, state: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    costly = [message_received(n, "costly", f"u{n % 5}", COSTLY, NOON) for n in range(120)]
    greetings = [message_received(500 + n, f"g{n}", "u1", "早上好", NOON) for n in range(10)]
    first = ServiceProcess("moderation", tmp_path, environment)
    second = ServiceProcess("moderation", tmp_path, environment)
    async with first, second:
        await eventually(first.is_ready, 60)
        await eventually(second.is_ready, 60)
        await rig.broker.send(*costly)
        await rig.broker.send(*greetings)
        await asyncio.wait_for(wait_until_judged(state, [*costly, *greetings]), 200)
        again = [message_received(1_000 + n, "costly", f"u{n % 5}", COSTLY, NOON) for n in range(120)]
        await rig.broker.send(*again)
        assert await first.stop() == 0
        await wait_until_judged(state, [*costly, *greetings, *again])
        assert await second.stop() == 0
        assert "abandoned_transactions_ended" not in first.log + second.log
        assert "batch_split" not in first.log + second.log
    await check_invariants(rig, state, [*costly, *greetings, *again])

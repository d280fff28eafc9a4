"""A verdict larger than its topic takes is parked and visible, and everybody else's is published."""

from pathlib import Path

import pytest

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.store import Database
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from huiqun.work import outbox, parked
from tests.delivery_orders import message_ids
from tests.faults.invariants import wait_until_judged
from tests.processes import ServiceProcess
from tests.shell import Shell
from tests.topic_limits import set_topic_limit

pytestmark = pytest.mark.kafka_only  # Tansu takes records of any size, whatever the topic is told


async def verdicts(rig: Rig) -> list[str]:
    found = [
        decode_event(MODERATION_DECISIONS, record.value) for record in await rig.broker.records(MODERATION_DECISIONS)
    ]
    return sorted(event.data.message_id for event in found if event.type == "moderation.message.screened")


async def test_a_verdict_too_large_for_its_topic_is_parked_until_an_operator_sends_it_again(
    rig: Rig, state: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    await set_topic_limit(rig.broker.options, MODERATION_DECISIONS, 20_000)
    large = message_received(0, "g0", text="天" * 20_000, sent_at=NOON)
    normal = [message_received(number, f"g{number}", sent_at=NOON) for number in range(1, 51)]

    async def all_but_one_published() -> bool:
        return await outbox.count_outbox_entries(state) == 0 and await parked.count_parked_records(state) == 1

    async with ServiceProcess("moderation", tmp_path, environment) as moderation:
        await rig.broker.send(large, *normal)
        await wait_until_judged(state, [large, *normal])
        await eventually(all_but_one_published)
        assert await verdicts(rig) == message_ids(normal)
        assert "record_parked" in moderation.log
        assert await moderation.stop() == 0
    shell = Shell(environment)
    (kept,) = await parked.list_parked_records(state, 10)
    assert kept.id in await shell.run_successfully("outbox", "list", "--service", SERVICE)
    refused = await shell.run_command("outbox", "retry", kept.id, "--service", SERVICE)
    assert (refused.exit_code, "still more than" in refused.stderr) == (1, True)
    await set_topic_limit(rig.broker.options, MODERATION_DECISIONS, 1_000_000)
    await shell.run_successfully("outbox", "retry", kept.id, "--service", SERVICE)
    assert await verdicts(rig) == message_ids([large, *normal])

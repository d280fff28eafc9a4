"""A process dies between its commit and its publish: what it left leaves in order, before anything newer."""

from collections import defaultdict
from pathlib import Path

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.store import Database
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.proxy import Proxy
from local.stack import Stack
from tests.faults.invariants import check_invariants, wait_until_judged
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of

GROUPS = 10


async def test_what_a_killed_process_had_committed_is_published_in_order_before_anything_newer(
    proxy: Proxy, tmp_path: Path
) -> None:
    old = [message_received(n, f"g{n % GROUPS}", sent_at=NOON) for n in range(3_000)]
    new = [message_received(n, f"g{n % GROUPS}", sent_at=NOON) for n in range(3_000, 3_100)]
    async with Stack(advertise=proxy.port) as stack:
        proxy.target = stack.broker.port
        environment = {**environment_of(stack, "left.", "left"), "HUIQUN_MAX_BATCH": "50"}
        async with Rig.open(stack.mongo_url, "left", HANDLED_INDEXES, kafka=kafka_options_of(stack, "left.")) as rig:
            state = rig.client["left_moderation"]
            await rig.broker.send(*old)
            async with ServiceProcess("moderation", tmp_path, environment) as moderation:
                await eventually(lambda: has_started(state))
                proxy.cut()  # what it has read it still commits, but cannot publish
                await eventually(lambda: has_left_something(state, moderation))
                await moderation.kill()
                left = await state["outbox"].count_documents({})
                await proxy.resume()
                await rig.broker.send(*new)
                moderation.start()
                await wait_until_judged(state, [*old, *new])
                assert await moderation.stop() == 0
            assert left > 0
            await check_invariants(rig, state, [*old, *new])
            await check_order(rig)


async def has_started(state: Database) -> bool:
    return bool(await state["messages"].count_documents({}))


async def has_left_something(state: Database, moderation: ServiceProcess) -> bool:
    return bool(await state["outbox"].count_documents({})) and not await moderation.is_ready()


async def check_order(rig: Rig) -> None:
    """The first time that a message's verdict appears comes after those of all older ones of its group."""
    published = defaultdict(list)
    for record in await rig.broker.records(MODERATION_DECISIONS):
        event = decode_event(MODERATION_DECISIONS, record.value)
        published[event.data.group_id].append(event.data.message_id)
    assert len(published) == GROUPS
    for group in published.values():
        first = list(dict.fromkeys(group))
        assert first == sorted(first)

"""How a process ends: asked to, in its work, with its servers away; and what makes it wait, but not end."""

import asyncio
import random
import signal
from pathlib import Path

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record
from huiqun.store import Database
from huiqun.stream.dead_letters import latest_dead_letters, read_dead_letters, replay_dead_letter
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import NOON, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually
from local.proxy import Proxy
from local.stack import Stack
from tests.faults.invariants import TEXTS, check_invariants, has_judged, wait_until_judged
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of


async def test_a_process_asked_to_stop_finishes_its_batch_and_its_successor_goes_on(
    rig: Rig, state: Database, moderation: ServiceProcess
) -> None:
    chance = random.Random(3)
    sent = [message_received(n, f"g{n % 20}", f"u{n % 7}", chance.choice(TEXTS), NOON) for n in range(8_000)]
    await rig.broker.send(*sent)
    async with moderation:
        await eventually(lambda: has_judged(state, 500), 60)
        assert await moderation.stop() == 0
        assert await state["outbox"].count_documents({}) == 0
        assert not await has_judged(state, len(sent))
        moderation.start()
        await wait_until_judged(state, sent)
        assert await moderation.stop() == 0
    await check_invariants(rig, state, sent)


async def test_a_process_whose_servers_are_away_stops_in_time_all_the_same(proxy: Proxy, tmp_path: Path) -> None:
    async with Stack(advertise=proxy.port) as stack:
        proxy.target = stack.broker.port
        environment = environment_of(stack, "stop.", "stop")
        async with Rig.open(stack.mongo_url, "stop", HANDLED_INDEXES, kafka=kafka_options_of(stack, "stop.")) as rig:
            async with ServiceProcess("moderation", tmp_path, environment) as moderation:
                await rig.broker.send(*[message_received(n, f"g{n % 20}", sent_at=NOON) for n in range(3_000)])
                await eventually(lambda: has_judged(rig.client["stop_moderation"], 200), 60)
                proxy.cut()
                await stack.mongod.kill()
                assert await moderation.stop(seconds=100) == 0
            await stack.mongod.start()  # so that this test's own connections close at once


async def test_a_process_asked_twice_to_stop_stops_as_cleanly_as_when_asked_once(
    rig: Rig, state: Database, moderation: ServiceProcess
) -> None:
    sent = [message_received(n, f"g{n % 20}", f"u{n % 7}", TEXTS[n % len(TEXTS)], NOON) for n in range(3_000)]
    await rig.broker.send(*sent)
    async with moderation:
        await eventually(lambda: has_judged(state, 500), 60)
        stopping = asyncio.create_task(moderation.stop(seconds=150))
        while not stopping.done():  # until its very end
            moderation.signal(signal.SIGTERM)
            await asyncio.sleep(0.05)
        assert await stopping == 0
        moderation.start()
        await wait_until_judged(state, sent)
        assert await moderation.stop() == 0
    await check_invariants(rig, state, sent)


async def test_whatever_one_member_gets_wrong_the_service_sets_it_aside_and_goes_on(
    rig: Rig, state: Database, moderation: ServiceProcess
) -> None:
    good = [message_received(n, "g1", sent_at=NOON) for n in range(20)]
    bad = encode_event(message_received(999, "g1", sent_at=NOON)).replace(b'"sent_at":', b'"sent_when":')
    assert b"sent_when" in bad
    await rig.broker.send(*good[:10])
    await rig.broker.publisher.publish([Record(CHANNEL_MESSAGES.name, b"g1", bad)] * 150)
    await rig.broker.send(*good[10:])
    async with moderation:
        await wait_until_judged(state, good)
        await eventually(lambda: are_set_aside(rig, 150))
        for letter in latest_dead_letters([letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]):
            await replay_dead_letter(rig.broker.publisher, letter)
        await eventually(lambda: are_set_aside(rig, 151))
        assert await moderation.is_ready()
        assert await moderation.stop() == 0
    await check_invariants(rig, state, good)


async def are_set_aside(rig: Rig, count: int) -> bool:
    return len([letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]) >= count

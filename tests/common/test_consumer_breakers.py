"""Handlers that fail pause their partition, on a real broker: nothing is lost, nothing exits, and others go on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record, choose_partition
from huiqun.runtime.clock import SystemClock
from huiqun.store import OutsideTransaction
from huiqun.stream import BatchConsumer, ConsumerOptions, Route, controls
from huiqun.stream.breaker import PartitionId
from huiqun.stream.dead_letters import DeadLetter, read_dead_letters
from huiqun.stream.skipping import SkipRule
from huiqun.testing.broker import PARTITIONS, SERVICE
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from tests.delivery_orders import message_ids
from tests.servers import handled_ids

QUICK = ConsumerOptions(trial_seconds=0.2)
# A group in each of the partitions.
GROUPS = {choose_partition(f"g{n}".encode(), PARTITIONS): f"g{n}" for n in range(20)}
HEALTHY, BROKEN = GROUPS[0], GROUPS[1]
PAUSED = PartitionId(CHANNEL_MESSAGES.name, 1)


@dataclass
class Handler:
    """Writes messages down; fails on those of `broken` groups."""

    broken: set[str] = field(default_factory=lambda: {BROKEN})

    async def __call__(self, work: Work, events: Sequence[MessageReceived]) -> None:
        for event in events:
            if event.data.group_id in self.broken:
                raise ZeroDivisionError("poison")
        await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])


@asynccontextmanager
async def consuming(rig: Rig, handler: Handler, options: ConsumerOptions = QUICK) -> AsyncIterator[BatchConsumer]:
    consumer = rig.consumer(Route((MessageReceived,), handler), options=options)
    async with running_component(consumer):
        yield consumer


async def letters(rig: Rig) -> list[DeadLetter]:
    return [letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]


async def are_set_aside(rig: Rig, count: int) -> bool:
    return len(await letters(rig)) >= count


async def is_paused(rig: Rig) -> bool:
    return [each.place for each in await controls.list_breakers(OutsideTransaction(rig.database))] == [PAUSED]


async def none_is_open(rig: Rig) -> bool:
    return not await controls.list_breakers(OutsideTransaction(rig.database))


async def have_been_seen(rig: Rig, events: Sequence[MessageReceived]) -> bool:
    return await handled_ids(rig) == sorted(message_ids(events))


async def nothing_is_lost(rig: Rig, sent: Sequence[Event]) -> bool:
    """Each message was handled, or has its letter, and none has both."""
    handled, dead = await handled_ids(rig), [letter.value for letter in await letters(rig)]
    return len(handled) + len(set(dead)) == len(sent) and len(dead) == len(set(dead))


async def test_a_partition_on_which_handlers_fail_pauses_and_goes_on_when_a_trial_passes(rig: Rig) -> None:
    bad, good = (
        [message_received(n, BROKEN) for n in range(200)],
        [message_received(500 + n, HEALTHY) for n in range(40)],
    )
    handler = Handler()
    await rig.broker.send(*bad, *good[:20])
    async with consuming(rig, handler) as consumer:
        await eventually(lambda: is_paused(rig))
        await rig.broker.send(*good[20:])
        await eventually(lambda: have_been_seen(rig, good))
        reason = consumer.heartbeat.unready_reason or ""
        assert "breaker open" in reason
        assert str(PAUSED) in reason
        tried = (await controls.list_breakers(OutsideTransaction(rig.database)))[0].trials

        async def was_tried_again() -> bool:
            return (await controls.list_breakers(OutsideTransaction(rig.database)))[0].trials > tried

        await eventually(was_tried_again)
        assert len(await letters(rig)) < 100
        handler.broken.clear()
        await eventually(lambda: none_is_open(rig))
        await eventually(lambda: nothing_is_lost(rig, [*bad, *good]))
        await eventually(lambda: consumer.heartbeat.unready_reason is None)


async def test_another_process_knows_of_an_open_breaker_and_an_operator_closes_it(rig: Rig) -> None:
    bad, patient = [message_received(n, BROKEN) for n in range(60)], ConsumerOptions(trial_seconds=3600)
    handler = Handler()
    await rig.broker.send(*bad)
    async with consuming(rig, handler, patient):
        await eventually(lambda: is_paused(rig))
    count = len(await letters(rig))
    handler.broken.clear()
    good = message_received(500, HEALTHY)
    async with consuming(rig, handler, patient) as consumer:
        await rig.broker.send(good)
        await eventually(lambda: have_been_seen(rig, [good]))
        assert "breaker open" in (consumer.heartbeat.unready_reason or "")
        await controls.remove_breakers(OutsideTransaction(rig.database), [PAUSED])
        await eventually(lambda: nothing_is_lost(rig, [*bad, good]))
        await eventually(lambda: consumer.heartbeat.unready_reason is None)
    assert len(await letters(rig)) == count


async def test_bad_records_between_the_others_are_set_aside_once_and_are_no_trial(rig: Rig) -> None:
    bad = [message_received(n, BROKEN) for n in range(40)]
    for event in bad:
        await rig.broker.send(event)
        await rig.broker.publisher.publish([Record(CHANNEL_MESSAGES.name, BROKEN.encode(), b"{" + event.id.encode())])
    handler = Handler()
    async with consuming(rig, handler):
        await eventually(lambda: is_paused(rig))
        handler.broken.clear()
        await eventually(lambda: nothing_is_lost(rig, [*bad, *bad]))
        await eventually(lambda: none_is_open(rig))


async def test_what_is_skipped_becomes_a_letter_and_what_comes_after_is_handled(rig: Rig) -> None:
    before, after = (
        [message_received(n, BROKEN) for n in range(60)],
        [message_received(100 + n, HEALTHY) for n in range(5)],
    )
    await rig.broker.send(*before)
    rule = SkipRule("r1", "shell:ops", SystemClock().now(), {str(PAUSED): 60}, key=BROKEN.encode())

    async def add(work: Work) -> None:
        await controls.add_skip_rule(work, rule)

    await rig.transactor.run(add)
    handler = Handler()
    async with consuming(rig, handler):
        await eventually(lambda: are_set_aside(rig, 60))
        handler.broken.clear()
        later = message_received(90, BROKEN)
        await rig.broker.send(*after, later)
        await eventually(lambda: have_been_seen(rig, [later, *after]))
        assert {letter.reason for letter in await letters(rig)} == {"skipped by shell:ops"}
        assert len(await letters(rig)) == 60
    assert await none_is_open(rig)


async def test_a_hanging_handler_is_found_although_the_other_lane_goes_round(rig: Rig) -> None:
    hanging = asyncio.Event()

    async def hang(_work: Work, events: Sequence[MessageReceived]) -> None:
        if events[0].data.group_id == BROKEN:
            hanging.set()
            await asyncio.Event().wait()

    consumer = rig.consumer(Route((MessageReceived,), hang))
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    await rig.broker.send(message_received(1, BROKEN))
    await asyncio.wait_for(hanging.wait(), 30)
    lane = consumer._lanes[1]
    lane.heartbeat._last -= timedelta(minutes=3).total_seconds()  # so long it has hung
    await rig.broker.send(message_received(2, HEALTHY))
    await eventually(lambda: consumer._lanes[0].heartbeat.is_alive)
    assert not consumer.heartbeat.is_alive
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

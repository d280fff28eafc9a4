"""Handlers that fail pause their partition, on a real broker: nothing is lost, nothing exits, and others go on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record, partition_of
from huiqun.runtime.clock import SystemClock
from huiqun.store import Outside
from huiqun.stream import BatchConsumer, ConsumerOptions, Route, controls
from huiqun.stream.breaker import Place
from huiqun.stream.dead_letters import DeadLetter, read_all
from huiqun.stream.skipping import SkipRule
from huiqun.work import Work
from tests.channel import ids, message
from tests.spine import PARTITIONS, SERVICE, Spine, eventually, running

QUICK = ConsumerOptions(trial_seconds=0.2)
# A group in each of the partitions.
GROUPS = {partition_of(f"g{n}".encode(), PARTITIONS): f"g{n}" for n in range(20)}
HEALTHY, BROKEN = GROUPS[0], GROUPS[1]
PAUSED = Place(CHANNEL_MESSAGES.name, 1)


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
async def consuming(spine: Spine, handler: Handler, options: ConsumerOptions = QUICK) -> AsyncIterator[BatchConsumer]:
    consumer = spine.consumer(Route((MessageReceived,), handler), options=options)
    async with running(consumer):
        yield consumer


async def letters(spine: Spine) -> list[DeadLetter]:
    return [letter async for letter in read_all(spine.kafka, SERVICE)]


async def are_set_aside(spine: Spine, count: int) -> bool:
    return len(await letters(spine)) >= count


async def is_paused(spine: Spine) -> bool:
    return [each.place for each in await controls.list_breakers(Outside(spine.database))] == [PAUSED]


async def none_is_open(spine: Spine) -> bool:
    return not await controls.list_breakers(Outside(spine.database))


async def have_been_seen(spine: Spine, events: Sequence[MessageReceived]) -> bool:
    return await spine.seen() == sorted(ids(events))


async def nothing_is_lost(spine: Spine, sent: Sequence[Event]) -> bool:
    """Each message was handled, or has its letter, and none has both."""
    seen, dead = await spine.seen(), [letter.value for letter in await letters(spine)]
    return len(seen) + len(set(dead)) == len(sent) and len(dead) == len(set(dead))


async def test_a_partition_on_which_handlers_fail_pauses_and_goes_on_when_a_trial_passes(spine: Spine) -> None:
    bad, good = [message(n, BROKEN) for n in range(200)], [message(500 + n, HEALTHY) for n in range(40)]
    handler = Handler()
    await spine.send(*bad, *good[:20])
    async with consuming(spine, handler) as consumer:
        await eventually(lambda: is_paused(spine))
        await spine.send(*good[20:])
        await eventually(lambda: have_been_seen(spine, good))
        reason = consumer.heartbeat.unready_reason or ""
        assert "breaker open" in reason
        assert str(PAUSED) in reason
        tried = (await controls.list_breakers(Outside(spine.database)))[0].trials

        async def was_tried_again() -> bool:
            return (await controls.list_breakers(Outside(spine.database)))[0].trials > tried

        await eventually(was_tried_again)
        assert len(await letters(spine)) < 100
        handler.broken.clear()
        await eventually(lambda: none_is_open(spine))
        await eventually(lambda: nothing_is_lost(spine, [*bad, *good]))
        await eventually(lambda: consumer.heartbeat.unready_reason is None)


async def test_another_process_knows_of_an_open_breaker_and_an_operator_closes_it(spine: Spine) -> None:
    bad, patient = [message(n, BROKEN) for n in range(60)], ConsumerOptions(trial_seconds=3600)
    handler = Handler()
    await spine.send(*bad)
    async with consuming(spine, handler, patient):
        await eventually(lambda: is_paused(spine))
    count = len(await letters(spine))
    handler.broken.clear()
    good = message(500, HEALTHY)
    async with consuming(spine, handler, patient) as consumer:
        await spine.send(good)
        await eventually(lambda: have_been_seen(spine, [good]))
        assert "breaker open" in (consumer.heartbeat.unready_reason or "")
        await controls.remove_breakers(Outside(spine.database), [PAUSED])
        await eventually(lambda: nothing_is_lost(spine, [*bad, good]))
        await eventually(lambda: consumer.heartbeat.unready_reason is None)
    assert len(await letters(spine)) == count


async def test_bad_records_between_the_others_are_set_aside_once_and_are_no_trial(spine: Spine) -> None:
    bad = [message(n, BROKEN) for n in range(40)]
    for event in bad:
        await spine.send(event)
        await spine.publisher.publish([Record(CHANNEL_MESSAGES.name, BROKEN.encode(), b"{" + event.id.encode())])
    handler = Handler()
    async with consuming(spine, handler):
        await eventually(lambda: is_paused(spine))
        handler.broken.clear()
        await eventually(lambda: nothing_is_lost(spine, [*bad, *bad]))
        await eventually(lambda: none_is_open(spine))


async def test_what_is_skipped_becomes_a_letter_and_what_comes_after_is_handled(spine: Spine) -> None:
    before, after = [message(n, BROKEN) for n in range(60)], [message(100 + n, HEALTHY) for n in range(5)]
    await spine.send(*before)
    rule = SkipRule("r1", "shell:ops", SystemClock().now(), {str(PAUSED): 60}, key=BROKEN.encode())

    async def add(work: Work) -> None:
        await controls.add_skip_rule(work, rule)

    await spine.transactor.run(add)
    handler = Handler()
    async with consuming(spine, handler):
        await eventually(lambda: are_set_aside(spine, 60))
        handler.broken.clear()
        later = message(90, BROKEN)
        await spine.send(*after, later)
        await eventually(lambda: have_been_seen(spine, [later, *after]))
        assert {letter.reason for letter in await letters(spine)} == {"skipped by shell:ops"}
        assert len(await letters(spine)) == 60
    assert await none_is_open(spine)


async def test_a_hanging_handler_is_found_although_the_other_lane_goes_round(spine: Spine) -> None:
    hanging = asyncio.Event()

    async def hang(_work: Work, events: Sequence[MessageReceived]) -> None:
        if events[0].data.group_id == BROKEN:
            hanging.set()
            await asyncio.Event().wait()

    consumer = spine.consumer(Route((MessageReceived,), hang))
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    await spine.send(message(1, BROKEN))
    await asyncio.wait_for(hanging.wait(), 30)
    lane = consumer._lanes[1]
    lane.heartbeat._last -= timedelta(minutes=3).total_seconds()  # so long it has hung
    await spine.send(message(2, HEALTHY))
    await eventually(lambda: consumer._lanes[0].heartbeat.is_alive)
    assert not consumer.heartbeat.is_alive
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

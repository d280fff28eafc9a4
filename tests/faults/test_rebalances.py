"""Partitions change hands, in peace or in the worst moment: nothing is skipped, nothing is done twice, all in order."""

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES, MODERATION_DECISIONS
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Database
from huiqun.stream import BatchConsumer, Route
from huiqun.testing.broker import PARTITIONS
from huiqun.testing.events import NOON, message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from local.stack import Stack
from tests.faults.invariants import TEXTS, check_invariants, has_judged, wait_until_judged
from tests.faults.offset_tap import OffsetTap
from tests.processes import ServiceProcess, environment_of
from tests.servers import HANDLED_INDEXES, kafka_options_of

REPLACEMENTS = 3  # each with two rebalances: one comes, one goes


async def screen(work: Work, events: Sequence[MessageReceived]) -> None:
    """Note each message, and say so on the topic; a message that is handled twice raises."""
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])
    work.emit_all([message_allowed(event) for event in events])


@asynccontextmanager
async def feeding(rig: Rig) -> AsyncIterator[list[MessageReceived]]:
    """A hundred numbered messages a second of one group while the context lasts."""
    sent: list[MessageReceived] = []
    enough = asyncio.Event()

    async def feed() -> None:
        while not await wait_for_stop(enough, 0.1):
            events = [message_received(number, "g1") for number in range(len(sent), len(sent) + 10)]
            await rig.broker.send(*events)
            sent.extend(events)

    task = asyncio.create_task(feed())
    try:
        yield sent
    finally:
        enough.set()
        await task


async def test_numbered_messages_of_one_group_stay_whole_and_in_order_over_rebalances(rig: Rig) -> None:
    route = Route((MessageReceived,), screen)

    async def has_seen(count: int) -> bool:
        return bool(await rig.database["seen"].count_documents({}) >= count)

    async def has_seen_more(sent: Sequence[MessageReceived]) -> None:
        count = len(sent) + 30
        await eventually(lambda: has_seen(count), 60)

    async with feeding(rig) as sent:
        member = Membership(rig.consumer(route))
        await member.join()
        for _ in range(REPLACEMENTS):
            await has_seen_more(sent)
            successor = Membership(rig.consumer(route))
            await successor.join()
            await eventually(lambda of=(member, successor): all(each.has(1) for each in of), 60)  # type: ignore[misc]
            await has_seen_more(sent)
            await member.leave()
            await eventually(lambda of=successor: of.has(PARTITIONS), 60)  # type: ignore[misc]
            member = successor
        await has_seen_more(sent)
    await eventually(lambda: has_published(rig, len(sent)), 60)
    await member.leave()
    assert await published(rig) == [event.data.message_id for event in sent]


class Membership:
    """A consumer that joins and leaves its group when it is told to."""

    def __init__(self, consumer: BatchConsumer) -> None:
        self._consumer = consumer
        self._life = AsyncExitStack()

    async def join(self) -> None:
        await self._life.enter_async_context(running_component(self._consumer))

    async def leave(self) -> None:
        await self._life.aclose()

    def has(self, partitions: int) -> bool:
        """Whether it has so many partitions."""
        return len(self._consumer.assignment) == partitions


async def published(rig: Rig) -> list[str]:
    """The messages with a verdict on the topic, in their order; what stands there twice is the same event twice."""
    ids: dict[str, str] = {}
    for record in await rig.broker.records(MODERATION_DECISIONS):
        event = decode_event(MODERATION_DECISIONS, record.value)
        assert ids.setdefault(event.data.message_id, event.id) == event.id
    return list(ids)


async def has_published(rig: Rig, count: int) -> bool:
    return len(await published(rig)) >= count


async def test_what_was_committed_but_not_acknowledged_has_its_effects_once(tmp_path: Path) -> None:
    """Killed after the transaction, and after publishing: the next life reads the same records once more."""
    sent = messages(400)
    async with OffsetTap() as tap, Stack(advertise=tap.port) as stack:
        tap.target = stack.broker.port
        environment = environment_of(stack, "again.", "again")
        async with Rig.open(stack.mongo_url, "again", HANDLED_INDEXES, kafka=kafka_options_of(stack, "again.")) as rig:
            state = rig.client["again_moderation"]
            async with ServiceProcess("moderation", tmp_path, environment) as moderation:
                await eventually(moderation.is_ready, 60)
                tap.withholds = True
                await rig.broker.send(*sent[:300])
                await eventually(lambda: has_judged(state, 300) if tap.withheld else False, 60)
                await eventually(lambda: nothing_is_left_to_publish(state), 60)
                assert not await rig.broker.has_read_all(CHANNEL_MESSAGES)
                await moderation.kill()
                tap.withholds = False
                await rig.broker.send(*sent[300:])
                moderation.start()
                await wait_until_judged(state, sent)
                await eventually(lambda: rig.broker.has_read_all(CHANNEL_MESSAGES), 60)
                assert await moderation.stop() == 0
            await check_invariants(rig, state, sent)


async def nothing_is_left_to_publish(state: Database) -> bool:
    return not await state["outbox"].count_documents({})


async def test_a_broker_paused_while_a_batch_is_published_and_a_rebalance_double_nothing(
    own_stack: Stack, tmp_path: Path
) -> None:
    sent = messages(6_000)
    environment = {**environment_of(own_stack, "pause.", "pause"), "HUIQUN_MAX_BATCH": "100"}
    async with Rig.open(
        own_stack.mongo_url, "pause", HANDLED_INDEXES, kafka=kafka_options_of(own_stack, "pause.")
    ) as rig:
        state = rig.client["pause_moderation"]
        async with (
            ServiceProcess("moderation", tmp_path, environment) as first,
            ServiceProcess("moderation", tmp_path, environment) as second,
        ):
            await eventually(first.is_ready, 60)
            await eventually(second.is_ready, 60)
            await rig.broker.send(*sent)
            await eventually(lambda: has_judged(state, 300), 60)
            with paused(own_stack.broker.process.pid):
                await eventually(lambda: something_is_left_to_publish(state), 60)
                await second.kill()
                await eventually(lambda: is_unready(first), 60)
            await wait_until_judged(state, sent)
            await eventually(first.is_ready, 60)
            assert await first.stop() == 0
        await check_invariants(rig, state, sent)
        await check_order(rig)


async def something_is_left_to_publish(state: Database) -> bool:
    return not await nothing_is_left_to_publish(state)


async def is_unready(process: ServiceProcess) -> bool:
    return not await process.is_ready()


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """Stop a process where it is, and let it go on at the end of the context."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def messages(count: int) -> list[MessageReceived]:
    """Messages of twenty groups, some of which break rules."""
    chance = random.Random(count)
    return [
        message_received(n, f"g{n % 20}", f"u{chance.randrange(50)}", chance.choice(TEXTS), NOON) for n in range(count)
    ]


async def check_order(rig: Rig) -> None:
    """Each group's verdicts appear in the order of its messages."""
    by_group = defaultdict(list)
    for record in await rig.broker.records(MODERATION_DECISIONS):
        event = decode_event(MODERATION_DECISIONS, record.value)
        if event.type == "moderation.message.screened":
            by_group[event.data.group_id].append(event.data.message_id)
    for group in by_group.values():
        first = list(dict.fromkeys(group))
        assert first == sorted(first)

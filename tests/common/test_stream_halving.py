"""What the store does not take as a whole it gets in halves, down to the record at fault; and what fits a batch."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from pymongo.errors import OperationFailure

from huiqun.contracts.channel import MessageReceived
from huiqun.stream import ConsumerOptions, Route
from huiqun.stream.batch import limit_batch
from huiqun.stream.dead_letters import read_dead_letters
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from tests.delivery_orders import message_ids
from tests.servers import handled_ids


async def set_aside(rig: Rig) -> list[str]:
    return [letter.reason async for letter in read_dead_letters(rig.broker.options, SERVICE)]


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])


async def have_been_seen(rig: Rig, events: Sequence[MessageReceived]) -> bool:
    return await handled_ids(rig) == sorted(message_ids(events))


ABORT = {"errorLabels": ["TransientTransactionError"]}


@pytest.mark.parametrize(
    "error",
    [OperationFailure("aborted from outside", 251, ABORT), OperationFailure("it lasted too long", 290, ABORT)],
    ids=["aborted", "too long"],
)
async def test_a_batch_that_is_aborted_again_and_again_gets_through_in_smaller_ones(
    rig: Rig, error: OperationFailure
) -> None:
    sizes: list[int] = []

    async def tire(work: Work, events: Sequence[MessageReceived]) -> None:
        sizes.append(len(events))
        await note(work, events)
        if len(events) > 7:  # so much is more than the store takes at once, however often it is tried
            raise error

    sent = [message_received(n, "g1") for n in range(50)]
    await rig.broker.send(*sent)
    async with running_component(rig.consumer(Route((MessageReceived,), tire))):
        await eventually(lambda: have_been_seen(rig, sent))
    assert all(sizes.count(size) <= 4 for size in sizes if size > 20), "never again and again unchanged"
    assert await set_aside(rig) == []


async def test_a_transaction_that_is_too_large_is_halved_at_once(rig: Rig) -> None:
    sizes: list[int] = []

    async def write_much(work: Work, events: Sequence[MessageReceived]) -> None:
        sizes.append(len(events))
        text = "x" * (3 * 1024 * 1024)
        await work.collection("seen").insert_one({"_id": events[0].data.message_id, "texts": [text] * len(events)})
        await work.collection("seen").delete_one({"_id": events[0].data.message_id})
        await note(work, events)

    sent = [message_received(n, "g1") for n in range(16)]
    await rig.broker.send(*sent)
    async with running_component(rig.consumer(Route((MessageReceived,), write_much))):
        await eventually(lambda: have_been_seen(rig, sent))
    assert set(sizes) <= {16, 8, 4} | set(range(1, 16))
    assert await set_aside(rig) == []


async def test_a_single_record_that_never_gets_through_is_set_aside_in_the_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huiqun.stream.handling._MOST_ABORTS_OF_ONE", 3)

    async def never(work: Work, events: Sequence[MessageReceived]) -> None:
        await note(work, events)
        if any(event.data.text == "hopeless" for event in events):
            raise OperationFailure("aborted", 251, ABORT)

    good = [message_received(n, "g1") for n in range(10)]
    await rig.broker.send(*good[:5], message_received(99, "g1", text="hopeless"), *good[5:])
    async with running_component(rig.consumer(Route((MessageReceived,), never))):
        await eventually(lambda: have_been_seen(rig, good))
    (reason,) = await set_aside(rig)
    assert reason.startswith("TransactionAbortedError")


async def test_what_a_route_prepares_is_done_once_and_outside_of_any_transaction(rig: Rig) -> None:
    prepared: list[str] = []
    failures = [OperationFailure("aborted", 251, ABORT) for _ in range(3)]

    async def prepare(events: Sequence[MessageReceived], _now: object) -> list[str]:
        prepared.extend(message_ids(events))
        await asyncio.sleep(0)
        return [event.data.message_id for event in events]

    async def handle(work: Work, events: Sequence[MessageReceived], made: Sequence[str]) -> None:
        assert list(made) == message_ids(events)
        await note(work, events)
        if failures:
            raise failures.pop()

    sent = [message_received(n, "g1") for n in range(20)]
    await rig.broker.send(*sent)
    async with running_component(rig.consumer(Route((MessageReceived,), handle, prepare=prepare))):
        await eventually(lambda: have_been_seen(rig, sent))
    assert prepared == message_ids(sent)


async def test_a_batch_that_is_cut_short_is_read_on_in_order(rig: Rig) -> None:
    order: list[str] = []
    sizes: list[int] = []

    async def handle(work: Work, events: Sequence[MessageReceived]) -> None:
        sizes.append(sum(len(event.data.text) for event in events))
        await note(work, events)
        order.extend(message_ids(events))

    sent = [message_received(n, "g1", text="长" * 500) for n in range(60)]
    await rig.broker.send(*sent)
    options = ConsumerOptions(max_characters=10_000)
    async with running_component(rig.consumer(Route((MessageReceived,), handle), options=options)):
        await eventually(lambda: have_been_seen(rig, sent))
    assert order == message_ids(sent)
    assert max(sizes) <= 10_000


def record(size: int) -> Any:
    return ConsumerRecord("t", 0, 0, 0, 0, None, b"x" * size, None, 0, 0, ())


FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        ([100] * 500, [100] * 500, (500, 500)),
        ([10_800] * 20, [100], (10, 1)),
        ([200_000, 100], [], (2, 0)),
        ([200_000, 10_000, 100], [100, 100], (1, 2)),
        ([50_800, 100, 60_800, 100], [100], (2, 1)),
    ],
    ids=["ordinary", "much of one", "a giant", "a giant and others", "order is kept"],
)
def test_a_batch_is_bounded_by_its_text_and_each_partition_has_its_turn(
    first: list[int], second: list[int], taken: tuple[int, int]
) -> None:
    polled = {FIRST: list(map(record, first)), SECOND: list(map(record, second))}
    cut = limit_batch(polled, 100_000)
    assert (len(cut.get(FIRST, ())), len(cut.get(SECOND, ()))) == taken

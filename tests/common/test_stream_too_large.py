"""A record larger than its topic takes is parked, and its neighbours are published in their order."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
import pytest_asyncio

from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_ACTIONS, CHANNEL_MESSAGES, MODERATION_DECISIONS, dead_letters_of
from huiqun.kafka.publisher import Record, RecordsTooLargeError
from huiqun.stream import Route
from huiqun.stream.dead_letters import read_dead_letters
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import NOON, message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Relay, Work, outbox
from huiqun.work.parked import count_parked_records, list_parked_records
from huiqun.work.retry import retry_forever
from tests.servers import handled_ids
from tests.topic_limits import set_topic_limit

pytestmark = pytest.mark.kafka_only  # Tansu takes records of any size, whatever the topic is told

TOPIC = CHANNEL_ACTIONS.name
LIMIT = 20_000


@pytest_asyncio.fixture
async def narrow(rig: Rig) -> Rig:
    """A rig whose topics of actions and decisions take no more than 20,000 bytes."""
    await set_topic_limit(rig.broker.options, CHANNEL_ACTIONS, LIMIT)
    await set_topic_limit(rig.broker.options, MODERATION_DECISIONS, LIMIT)
    return rig


def action(number: int, size: int = 100, key: bytes | None = None) -> Record:
    """A record that says its number and is about as long as said."""
    return Record(TOPIC, key or f"g{number % 7}".encode(), f"{number:06}".encode() + b"x" * size)


async def published(rig: Rig) -> dict[bytes, list[int]]:
    """The numbers of the records on the topic by key, in their order."""
    found: dict[bytes, list[int]] = {}
    for record in await rig.broker.records(CHANNEL_ACTIONS):
        found.setdefault(record.key, []).append(int(record.value[:6]))
    return found


def by_key(records: Sequence[Record]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for record in records:
        found.setdefault(record.key or b"", []).append(int((record.value or b"")[:6]))
    return found


async def test_many_small_records_pass_a_topic_that_takes_none_of_their_batches(narrow: Rig) -> None:
    sent = [action(number, 1_000) for number in range(1_000)]
    await narrow.broker.publisher.publish(sent)
    assert await published(narrow) == by_key(sent)


@pytest.mark.parametrize("place", [0, 1, 500, 999], ids=["first", "second", "middle", "last"])
async def test_a_record_too_large_is_named_and_its_neighbours_are_published_in_order(narrow: Rig, place: int) -> None:
    sent = [action(number) for number in range(1_000)]
    sent[place] = action(place, 60_000)
    with pytest.raises(RecordsTooLargeError) as refusal:
        await narrow.broker.publisher.publish(sent)
    assert list(refusal.value.refused) == [place]
    assert refusal.value.refused[place] > 60_000
    del sent[place]
    assert await published(narrow) == by_key(sent)
    await narrow.broker.publisher.publish([action(2_000)])  # and the publisher goes on


async def test_records_just_within_the_limit_pass_and_just_beyond_are_named(narrow: Rig) -> None:
    sent = [action(number, size, b"g1") for number, size in enumerate(range(19_500, 20_500, 50))]
    with pytest.raises(RecordsTooLargeError) as refusal:
        await narrow.broker.publisher.publish(sent)
    fit = [record for number, record in enumerate(sent) if number not in refusal.value.refused]
    assert 0 < len(fit) < len(sent)
    assert sent[: len(fit)] == fit, "the smaller ones"
    assert await published(narrow) == by_key(fit)


async def test_a_flood_of_records_too_large_is_gone_through_beside_another_publish(narrow: Rig) -> None:
    large = [action(number, 30_000 + number) for number in range(200)]
    small = [action(1_000 + number) for number in range(200)]
    other = [action(5_000 + number, key=b"another") for number in range(200)]

    async def publish_other() -> None:
        for record in other:
            await retry_forever(partial(narrow.broker.publisher.publish, [record]), name="test")

    mixed = [record for pair in zip(large, small, strict=True) for record in pair]
    beside = asyncio.create_task(publish_other())
    refused = await retry_forever(partial(refused_of, narrow, mixed), name="test")
    await beside
    assert sorted(refused) == list(range(0, 400, 2))
    found = {key: list(dict.fromkeys(numbers)) for key, numbers in (await published(narrow)).items()}
    assert found == by_key([*small, *other])


async def refused_of(rig: Rig, records: Sequence[Record]) -> dict[int, int]:
    with pytest.raises(RecordsTooLargeError) as refusal:
        await rig.broker.publisher.publish(records)
    return refusal.value.refused


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])
    work.emit_all([message_allowed(event) for event in events])


async def waits(rig: Rig, batches: int, records: int) -> bool:
    return (await outbox.count_outbox_entries(rig.database), await count_parked_records(rig.database)) == (
        batches,
        records,
    )


async def test_a_batch_with_an_event_too_large_leaves_it_parked_and_is_acknowledged(narrow: Rig) -> None:
    large = message_received(500, "g1", text="长" * 20_000)
    events = [message_received(number, f"g{number % 5}") for number in range(100)]
    await narrow.broker.send(*events[:50], large, *events[50:])
    async with running_component(narrow.consumer(Route((MessageReceived,), note))):
        await eventually(partial(waits, narrow, 0, 1))
        await eventually(partial(narrow.broker.has_read_all, CHANNEL_MESSAGES))
    (kept,) = await list_parked_records(narrow.database, 100)
    assert kept.record.key == b"g1"
    assert kept.size > LIMIT
    assert len(await narrow.broker.records(MODERATION_DECISIONS)) == 100


async def test_what_a_dead_process_left_is_relayed_and_only_what_is_too_large_is_parked(narrow: Rig) -> None:
    async def emit(work: Work) -> None:
        work.emit_all(
            [
                message_allowed(message_received(number, text="长" * (20_000 if number == 1 else 10)))
                for number in range(3)
            ]
        )

    await narrow.transactor.commit(emit)
    await narrow.database[outbox.OUTBOX].update_many({}, {"$set": {"at": NOON.replace(year=2020)}})
    async with running_component(Relay(narrow.transactor)):
        await eventually(partial(waits, narrow, 0, 1))
    assert len(await narrow.broker.records(MODERATION_DECISIONS)) == 2


async def test_a_dead_letter_too_large_for_its_topic_is_parked_and_stops_nobody(narrow: Rig) -> None:
    await set_topic_limit(narrow.broker.options, dead_letters_of(SERVICE), LIMIT)
    for value in (b"{", b"{" * 60_000, b"[", b"[" * 60_000):
        await narrow.broker.send_raw(CHANNEL_MESSAGES, value)
    await narrow.broker.send(message_received(1))
    async with running_component(narrow.consumer(Route((MessageReceived,), note))):
        await eventually(partial(waits, narrow, 0, 2))
        await eventually(partial(narrow.broker.has_read_all, CHANNEL_MESSAGES))
    kept = {each.record.value: each.record.topic for each in await list_parked_records(narrow.database, 10)}
    assert kept == dict.fromkeys((b"{" * 60_000, b"[" * 60_000), dead_letters_of(SERVICE).name)
    assert {letter.value async for letter in read_dead_letters(narrow.broker.options, SERVICE)} == {b"[", b"{"}
    assert await handled_ids(narrow) == ["m00001"]

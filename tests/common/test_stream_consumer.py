"""The batch consumer on a real broker and a real database: each event has its effect once, whatever comes between."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from aiokafka import AIOKafkaProducer
from pymongo.errors import AutoReconnect

from huiqun.contracts.catalog import decode_event, encode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MESSAGES, MODERATION_DECISIONS
from huiqun.kafka.publisher import Record, choose_partition
from huiqun.stream import Route
from huiqun.stream.dead_letters import DeadLetter, read_dead_letters, replay_dead_letter
from huiqun.testing.broker import PARTITIONS, SERVICE
from huiqun.testing.events import message_allowed, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work, outbox
from huiqun.work.transactor import BatchDelivery
from tests.delivery_orders import message_ids
from tests.servers import handled_ids

MESSAGES_TOPIC = CHANNEL_MESSAGES.name


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    """Write each message down and publish a verdict on it; some texts make trouble."""
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])
    for event in events:
        if event.data.text == "poison":
            raise ZeroDivisionError("poison")
        if event.data.text == "a key that exists":
            await work.collection("seen").insert_one({"_id": event.data.message_id})
        if event.data.text == "too large":
            work.emit(
                message_allowed(message_received(0, text="长" * 20_000)).model_copy(update={"source": "x" * 1_000_000})
            )
    work.emit_all([message_allowed(event) for event in events])


NOTING = Route((MessageReceived,), note)


async def have_been_seen(rig: Rig, events: Sequence[MessageReceived]) -> bool:
    return await handled_ids(rig) == sorted(set(message_ids(events)))


async def nothing_waits(rig: Rig) -> bool:
    return await outbox.count_outbox_entries(rig.database) == 0


async def letters(rig: Rig) -> list[DeadLetter]:
    return [letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]


async def verdicts(rig: Rig) -> dict[str, list[str]]:
    """The event ids on the decisions topic by message, as often as they are there."""
    found = defaultdict(list)
    for record in await rig.broker.records(MODERATION_DECISIONS):
        event = decode_event(MODERATION_DECISIONS, record.value)
        found[event.data.message_id].append(event.id)
    return found


async def test_what_cannot_be_processed_is_set_aside_with_the_reason_and_its_neighbours_pass(rig: Rig) -> None:
    good = [message_received(number, f"g{number % 5}") for number in range(100)]
    trouble = [
        message_received(200, text="poison"),
        message_received(201, text="a key that exists"),
        message_received(202, text="too large"),
    ]
    unknown = encode_event(message_received(300)).replace(b"message.received", b"message.painted")
    await rig.broker.send(*good[:50], *trouble)
    await rig.broker.publisher.publish([Record(MESSAGES_TOPIC, b"g1", value) for value in (b"{", None, unknown)])
    strange = (("dead-letter-replays", b"many"), ("null", None))
    await rig.broker.publisher.publish([Record(MESSAGES_TOPIC, None, b"[]", strange)])  # type: ignore[arg-type]
    await send_compressed(
        rig, encode_event(message_received(301, text="x")).replace(b'"x"', b'"' + b"x" * 2_000_000 + b'"')
    )
    await rig.broker.send(*good[50:])

    async def all_set_aside() -> bool:
        return len(await letters(rig)) >= 8

    async with running_component(rig.consumer(NOTING)):
        await eventually(lambda: have_been_seen(rig, good))
        await eventually(all_set_aside)
        reasons = {letter.reason.partition(" in ")[0]: letter for letter in await letters(rig)}
        assert {"ZeroDivisionError", "KeyExistsError", "EventTooLargeError", "the record has no value"} < reasons.keys()
        assert len(await letters(rig)) == 8
        assert "ZeroDivisionError" in reasons["ZeroDivisionError"].error
        assert "in note" in reasons["ZeroDivisionError"].error
        repaired = message_received(400, text="repaired")
        await replay_dead_letter(rig.broker.publisher, reasons["ZeroDivisionError"], repaired=encode_event(repaired))
        await eventually(lambda: have_been_seen(rig, [*good, repaired]))
        await eventually(lambda: nothing_waits(rig))
    assert {key: len(each) for key, each in (await verdicts(rig)).items()} == dict.fromkeys(
        message_ids([*good, repaired]), 1
    )


async def test_of_a_batch_of_a_hundred_two_are_set_aside_and_one_of_them_is_put_back_when_it_can_be(
    rig: Rig,
) -> None:
    """Number 40 makes its handler raise always, number 60 is no JSON."""
    sent = [message_received(number, "g1", text="poison" if number == 40 else "你好") for number in range(100)]
    await rig.broker.send(*sent[:60])
    await rig.broker.publisher.publish([Record(MESSAGES_TOPIC, b"g1", b"no JSON")])
    await rig.broker.send(*sent[61:])
    good = [event for number, event in enumerate(sent) if number not in {40, 60}]
    poisonous = True

    async def handle(work: Work, events: Sequence[MessageReceived]) -> None:
        if poisonous and any(event.data.text == "poison" for event in events):
            raise ZeroDivisionError
        await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])

    async def both_set_aside() -> bool:
        return len(await letters(rig)) == 2

    async with running_component(rig.consumer(Route((MessageReceived,), handle))):
        await eventually(lambda: have_been_seen(rig, good))
        await eventually(both_set_aside)
        found = {letter.value: letter for letter in await letters(rig)}
        raised, broken = found[encode_event(sent[40])], found[b"no JSON"]
        for letter, offset in ((raised, 40), (broken, 60)):
            assert (letter.key, letter.topic, letter.offset) == (b"g1", MESSAGES_TOPIC, offset)
            assert letter.partition == choose_partition(b"g1", PARTITIONS)
        poisonous = False
        await replay_dead_letter(rig.broker.publisher, raised)
        await replay_dead_letter(rig.broker.publisher, raised)
        await eventually(lambda: have_been_seen(rig, [*good, sent[40]]))
    assert len(await letters(rig)) == 2


async def send_compressed(rig: Rig, value: bytes) -> None:
    """Compressed, a record passes that the broker would refuse at its full size."""
    producer = AIOKafkaProducer(
        **rig.broker.options.client_arguments(), compression_type="gzip", max_request_size=len(value) * 2
    )
    async with producer:
        await producer.send_and_wait(rig.broker.options.prefix + MESSAGES_TOPIC, value, key=b"g1")


async def test_events_that_come_again_have_no_second_effect(rig: Rig) -> None:
    events = [message_received(number, f"g{number % 5}") for number in range(60)]
    async with running_component(rig.consumer(NOTING)):
        await rig.broker.send(*events[:40], *events[:10])
        await eventually(lambda: have_been_seen(rig, events[:40]))
        # Known, new and twice in one poll, and known ones under a second event id.
        again = [message_received(number, f"g{number % 5}") for number in range(5)]
        await rig.broker.send(*events[20:], *again, *events)
        await eventually(lambda: have_been_seen(rig, events))
        await eventually(lambda: nothing_waits(rig))
    assert {key: len(set(each)) for key, each in (await verdicts(rig)).items()} == dict.fromkeys(message_ids(events), 1)


async def test_a_passing_error_is_waited_for_and_nothing_is_set_aside(rig: Rig) -> None:
    failures: list[Exception] = [AutoReconnect("away"), ConnectionResetError(), TimeoutError()]
    health: list[str | None] = []

    async def fail_first(work: Work, events: Sequence[MessageReceived]) -> None:
        health.append(consumer.heartbeat.failure)
        await note(work, events)
        if failures:
            raise failures.pop()

    consumer = rig.consumer(Route((MessageReceived,), fail_first))
    async with running_component(consumer):
        await rig.broker.send(message_received(1))
        await eventually(lambda: have_been_seen(rig, [message_received(1)]))
        await eventually(lambda: consumer.heartbeat.failure is None)
    assert health == [None, "TimeoutError", "ConnectionResetError", "AutoReconnect"]
    assert await letters(rig) == []
    assert len((await verdicts(rig))["m00001"]) == 1


async def test_whatever_senders_get_wrong_is_set_aside_and_the_consumer_goes_on(rig: Rig) -> None:
    good = [message_received(number) for number in range(20)]
    await rig.broker.send(*good[:10])
    await rig.broker.publisher.publish([Record(MESSAGES_TOPIC, b"g1", b"{")] * 150)
    await rig.broker.send(*good[10:])

    async def all_set_aside() -> bool:
        return len(await letters(rig)) >= 150

    async with running_component(rig.consumer(NOTING)) as consuming:
        await eventually(lambda: have_been_seen(rig, good))
        await eventually(all_set_aside)
        assert not consuming.done()
    assert len(await letters(rig)) == 150
    assert {key: len(each) for key, each in (await verdicts(rig)).items()} == dict.fromkeys(message_ids(good), 1)


async def test_what_a_former_owner_left_is_published_before_anything_newer_of_its_group(rig: Rig) -> None:
    """Of every partition, also of one that comes to have new messages only later."""
    groups = {choose_partition(f"g{n}".encode(), PARTITIONS): f"g{n}" for n in range(20)}
    assert len(groups) == PARTITIONS
    old = {group: [message_received(part * 10 + n, group) for n in range(3)] for part, group in groups.items()}
    new = {group: message_received(part * 10 + 5, group) for part, group in groups.items()}
    for partition, group in groups.items():
        for event in old[group]:  # committed by a process that did not live to publish
            delivery = BatchDelivery([event.identity], [f"{rig.broker.options.prefix}{MESSAGES_TOPIC}/{partition}"])
            await rig.transactor.commit(partial(note, events=[event]), delivery)
    async with running_component(rig.consumer(NOTING)):
        sent = [event for events in old.values() for event in events]
        for group in groups.values():
            await rig.broker.send(new[group])
            sent.append(new[group])
            await eventually(partial(have_been_seen, rig, sent))
        await eventually(lambda: nothing_waits(rig))
    published = [
        decode_event(MODERATION_DECISIONS, record.value) for record in await rig.broker.records(MODERATION_DECISIONS)
    ]
    for group in groups.values():
        of_group = [event.data.message_id for event in published if event.data.group_id == group]
        assert list(dict.fromkeys(of_group)) == message_ids([*old[group], new[group]])

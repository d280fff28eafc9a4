"""What makes two records the same event, and what becomes of those that are not what they say they are."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import MemberJoined, MessageEdited, MessageReceived
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record, event_record
from huiqun.stream import Route
from huiqun.stream.dead_letters import read_dead_letters
from huiqun.stream.unreadable import UnreadableRecord, describe_unreadable
from huiqun.testing.broker import SERVICE
from huiqun.testing.events import member_joined, message_edited, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work

LAST = "the-last-one"


async def note(work: Work, events: Sequence[Event]) -> None:
    """Write down what every event says, however often it comes; some are refused."""
    documents: list[dict[str, Any]] = []
    for event in events:
        if getattr(event.data, "text", "") == "refused":
            work.refuse(event, "not wanted here")
            continue
        said = event.data.member_id if isinstance(event, MemberJoined) else event.data.text
        documents.append({"_id": f"{event.id} {event.source}", "said": said})
    if documents:
        await work.collection("seen").insert_many(documents)


async def note_unreadable(work: Work, events: Sequence[UnreadableRecord]) -> None:
    """Write down what is known of a record."""
    documents = [{"_id": event.identity, "said": event.data.model_dump(mode="json")} for event in events]
    await work.collection("seen").insert_many(documents)


ROUTES = (
    Route((MemberJoined,), note),
    Route((MessageReceived, MessageEdited), note, unreadable=note_unreadable),
)


async def said(rig: Rig) -> list[Any]:
    return [document["said"] async for document in rig.database["seen"].find()]


async def reasons(rig: Rig) -> list[str]:
    return [letter.reason async for letter in read_dead_letters(rig.broker.options, SERVICE)]


async def until_handled(rig: Rig, *batches: Sequence[Record | Event]) -> None:
    """Send records, and wait until they are acknowledged, batch by batch."""
    async with running_component(rig.consumer(*ROUTES)):
        for batch in batches:
            await rig.broker.publisher.publish(
                [event_record(each) if isinstance(each, Event) else each for each in batch]
            )
            await eventually(lambda: rig.broker.has_read_all(CHANNEL_MESSAGES))


async def test_one_id_from_two_sources_is_two_events_and_from_one_source_one(rig: Rig) -> None:
    first = member_joined("g1", "one")
    second = member_joined("g1", "another").model_copy(update={"id": first.id, "source": "wecom/another"})
    again = member_joined("g1", "one-again").model_copy(update={"id": first.id})
    async with running_component(rig.consumer(*ROUTES)):
        await rig.broker.send(first, second, again, member_joined("g1", LAST))
        await eventually(lambda: _has(rig, LAST))
    assert sorted(await said(rig)) == ["another", "one", LAST]


async def _has(rig: Rig, what: str) -> bool:
    return what in await said(rig)


async def test_one_message_id_in_two_groups_or_from_two_sources_is_as_many_messages(rig: Rig) -> None:
    elsewhere = message_received(1, group="g2", text="in another group")
    foreign = message_received(1, text="from another source").model_copy(update={"source": "wecom/another"})
    await until_handled(rig, [message_received(1, text="here"), elsewhere, foreign])
    assert sorted(await said(rig)) == ["from another source", "here", "in another group"]


@pytest.mark.parametrize("apart", [True, False])
async def test_a_second_content_of_one_revision_is_set_aside_and_the_same_one_dropped(rig: Rig, apart: bool) -> None:
    original = message_received(1, text="first")
    sent: list[Event] = [original, message_received(1, text="first"), message_received(1, text="another first")]
    sent += [
        message_edited(original, "changed"),
        message_edited(original, "changed"),
        message_edited(original, "changed otherwise"),
    ]
    await until_handled(rig, *([[each] for each in sent] if apart else [sent]))
    assert sorted(await said(rig)) == ["changed", "first"]
    assert await reasons(rig) == ["another content than was dealt with under the same identity"] * 2


async def test_what_a_handler_refuses_is_set_aside_with_its_reason_and_its_neighbours_pass(rig: Rig) -> None:
    sent = [message_received(1, text="before"), message_received(2, text="refused"), message_received(3, text="after")]
    await until_handled(rig, sent, [message_received(2, text="refused")])
    assert sorted(await said(rig)) == ["after", "before"]
    assert await reasons(rig) == ["not wanted here"], "the second time it was dealt with"


def broken(event: MessageReceived, old: bytes, new: bytes) -> Record:
    record = event_record(event)
    assert record.value is not None
    assert old in record.value
    return record._replace(value=record.value.replace(old, new))


BROKEN: dict[tuple[bytes, bytes], str | None] = {
    (b'"text"', b'"text":7,"x"'): "u1",
    (b"received", b"painted"): "u1",
    (b'"data":{', b'"data":{"x":'): "u1",
    ("你好".encode(), rb"\ud83d"): "u1",
    (b'"u1"', b"7"): None,
    (b'"source":"channel"', b'"source":"two words"'): "u1",
    (b'"u1"', rb'"\u738b\/\"",,'): '王~2F"',
}


async def test_who_wants_to_know_is_told_of_records_that_are_no_events(rig: Rig) -> None:
    records = [broken(message_received(number), old, new) for number, (old, new) in enumerate(BROKEN)]
    await until_handled(rig, [*records, message_received(99, text="after")], records[:1])
    told = {each["message_id"]: each for each in await said(rig) if each != "after"}
    assert [each["member_id"] for each in told.values()] == list(BROKEN.values())
    assert list(told) == [f"m{number:05}" for number in range(len(BROKEN))]
    assert {(each["group_id"], each["names_group"]) for each in told.values()} == {("g1", True)}
    assert set(await reasons(rig)) == {each["reason"] for each in told.values()}
    assert len(await said(rig)) == len(BROKEN) + 2, "put on the topic again, it is another record"


async def test_a_record_that_names_no_group_is_of_the_one_in_its_key_and_one_without_is_only_set_aside(
    rig: Rig,
) -> None:
    keyed, keyless = Record(CHANNEL_MESSAGES.name, b"g 1", b"{"), Record(CHANNEL_MESSAGES.name, None, b"\xff\xfe")
    await until_handled(rig, [keyed, keyless, Record(CHANNEL_MESSAGES.name, b"g2", None)])
    found = sorted([(each["group_id"], each["names_group"]) for each in await said(rig)])
    assert found == [("g2", False), ("g~201", False)]
    assert len(await reasons(rig)) == 3


async def test_of_a_recall_that_cannot_be_read_nobody_is_told(rig: Rig) -> None:
    recall = encode_event(message_received(1)).replace(b"received", b"recalled")
    await until_handled(rig, [Record(CHANNEL_MESSAGES.name, b"g1", recall)])
    assert (await said(rig), len(await reasons(rig))) == ([], 1)


NAMES = ("type", "source", "group_id", "member_id", "message_id")
PIECES = st.sampled_from([f'"{name}":' for name in NAMES]) | st.text(max_size=30).map(lambda text: f'"{text}"')
BYTES = st.lists(PIECES | st.text(max_size=10), max_size=12).map(lambda parts: "".join(parts).encode(errors="replace"))


@given(BYTES | st.binary(max_size=200), st.none() | st.binary(max_size=200))
def test_whatever_a_record_holds_it_stops_nobody_from_reading_on(value: bytes, key: bytes | None) -> None:
    record = ConsumerRecord("t.channel.messages.v1", 0, 7, 0, 0, key, value, None, 0, 0, ())
    noted = describe_unreadable(CHANNEL_MESSAGES, record, "why")
    assert noted is None or noted == UnreadableRecord.model_validate(noted.model_dump())

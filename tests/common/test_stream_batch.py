"""What decoding makes of a poll's records, and which handler gets which events."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import GroupCreated, MessageEdited, MessageRecalled, MessageReceived, Recall
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES
from huiqun.stream import Route
from huiqun.stream.batch import ReceivedEvent, decode_batch, without_duplicates
from huiqun.stream.routes import RoutingTable
from huiqun.testing.events import NOON, group_created, message_edited, message_received
from huiqun.work import Work

PREFIX = "test."
TOPICS = {PREFIX + topic.name: topic for topic in (CHANNEL_MEMBERS, CHANNEL_MESSAGES)}
WANTED = frozenset({GroupCreated, MessageReceived})


def record(topic: str, offset: int, value: bytes | None) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(PREFIX + topic, 0, offset, 0, 0, b"g1", value, None, 0, 0, ())


def polled(topic: str, *values: bytes | None) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
    return {TopicPartition(PREFIX + topic, 0): [record(topic, 10 + n, value) for n, value in enumerate(values)]}


def test_a_batch_has_the_topics_in_the_order_of_the_routes_and_each_partition_in_its_own() -> None:
    first, second, group = message_received(1), message_received(2), group_created("g1")
    messages = polled("channel.messages.v1", encode_event(first), encode_event(second))
    batch = decode_batch({**messages, **polled("channel.members.v1", encode_event(group))}, TOPICS, WANTED)
    assert [item.event for item in batch.received] == [group, first, second]
    assert sorted(batch.partitions) == ["test.channel.members.v1/0", "test.channel.messages.v1/0"]


def test_what_does_not_decode_is_set_aside_and_its_neighbours_go_on() -> None:
    first, second = message_received(1), message_received(2)
    batch = decode_batch(
        polled("channel.messages.v1", encode_event(first), b"{", None, encode_event(second)), TOPICS, WANTED
    )
    assert [item.event for item in batch.received] == [first, second]
    assert [(item.record.offset, item.reason.split(":")[0]) for item in batch.undecodable] == [
        (11, "event"),
        (12, "the record has no value"),
    ]
    assert batch.size == 4


def test_reading_goes_on_after_the_last_record_whatever_became_of_it() -> None:
    batch = decode_batch(polled("channel.messages.v1", encode_event(message_received(1)), b"{"), TOPICS, WANTED)
    assert batch.positions == {TopicPartition("test.channel.messages.v1", 0): 12}


def test_an_event_that_no_handler_wants_is_passed_over() -> None:
    original = message_received(1)
    batch = decode_batch(polled("channel.messages.v1", encode_event(message_edited(original, "改"))), TOPICS, WANTED)
    assert (batch.received, batch.undecodable, batch.size) == ((), (), 1)


def test_of_two_deliveries_of_one_event_the_first_counts() -> None:
    first, again, other = message_received(1), message_received(1), message_received(2)
    received = [
        ReceivedEvent(event, record("channel.messages.v1", 0, b""), event.identity) for event in (first, other, again)
    ]
    assert [item.event for item in without_duplicates(received)] == [first, other]


async def test_events_go_to_their_handlers_in_runs_that_keep_the_order() -> None:
    runs: list[tuple[str, list[str]]] = []

    async def screen(_work: Work, events: Sequence[Event]) -> None:
        runs.append(("screen", [event.id for event in events]))

    async def recall(_work: Work, events: Sequence[Event]) -> None:
        runs.append(("recall", [event.id for event in events]))

    table = RoutingTable([Route((MessageReceived, MessageEdited), screen), Route((MessageRecalled,), recall)])
    first = message_received(1)
    withdrawn = MessageRecalled.create("g1", Recall(message_id="m1", group_id="g1", recalled_by="u1"), time=NOON)
    events: list[Event] = [first, message_edited(first, "改"), withdrawn, message_received(2)]
    received = [ReceivedEvent(event, record("channel.messages.v1", 0, b""), event.identity) for event in events]
    work = Work(None, None, NOON)  # type: ignore[arg-type] # these handlers write nothing
    assert await table.dispatch(work, received) == []
    assert runs == [
        ("screen", [events[0].id, events[1].id]),
        ("recall", [events[2].id]),
        ("screen", [events[3].id]),
    ]
    assert table.topics == (CHANNEL_MESSAGES,)


def test_an_event_has_one_handler() -> None:
    async def handle(_work: Work, events: Sequence[Event]) -> None: ...

    with pytest.raises(ValueError, match="two routes for MessageReceived"):
        RoutingTable([Route((MessageReceived,), handle), Route((MessageEdited, MessageReceived), handle)])

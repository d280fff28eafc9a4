"""Records as strangers send them: each is handled or set aside once, a line says where, and reading goes on."""

import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from crm_sync import app as crm_sync
from engagement import app as engagement
from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.catalog import encode_event
from huiqun.contracts.channel import MessageReceived
from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record, choose_partition
from huiqun.privacy.encryption import MasterKeys, open_encryption
from huiqun.privacy.suppression import SuppressionList
from huiqun.store import ensure_indexes
from huiqun.stream import Route
from huiqun.stream.dead_letters import DeadLetter, read_dead_letters, replay_dead_letter
from huiqun.telemetry import configure_logs
from huiqun.testing.broker import PARTITIONS, SERVICE
from huiqun.testing.events import member_joined, message_received
from huiqun.testing.rig import Rig
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Work
from survey import app as survey
from tests.servers import handled_ids

Logged = Callable[[str], list[dict[str, Any]]]
DEEP = b'{"a":' * 30 + b"1" + b"}" * 30


@pytest.fixture
def logged() -> Iterator[Logged]:
    """The log lines of an event since the test began."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    configure_logs(SERVICE, "info", stream)
    yield lambda event: [line for line in map(json.loads, stream.getvalue().splitlines()) if line["event"] == event]
    root.handlers = handlers
    root.setLevel(level)


async def note(work: Work, events: Sequence[MessageReceived]) -> None:
    await work.collection("seen").insert_many([{"_id": event.data.message_id} for event in events])


NOTING = Route((MessageReceived,), note)


def stranger(number: int, **changes: Any) -> bytes:
    """A message's bytes with fields of its envelope or its data replaced or added."""
    event = json.loads(encode_event(message_received(number)))
    for name, value in changes.items():
        (event["data"] if name in event["data"] else event)[name] = value
    return json.dumps(event).encode()


async def letters(rig: Rig) -> list[DeadLetter]:
    return [letter async for letter in read_dead_letters(rig.broker.options, SERVICE)]


async def has_seen(rig: Rig, *numbers: int) -> bool:
    return await handled_ids(rig) == [f"m{number:05}" for number in numbers]


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"consumer": SERVICE, "topic": CHANNEL_MESSAGES.name, **labels}) or 0.0


async def test_records_that_are_no_events_are_set_aside_once_and_the_others_handled(rig: Rig) -> None:
    strange = [None, b"\xff\xfe", b"[]", b"null", b"7", b'"text"', DEEP, stranger(90, type="channel.message.painted")]
    strange += [stranger(91, text="恭喜\ud83d发财"), stranger(92, specversion="7")]
    strange += [encode_event(message_received(93)).replace(b'"text"', b'"duration_seconds":9223372036854775808,"text"')]
    good = [stranger(1, extra={"nested": json.loads(DEEP)}), stranger(2, more=2**70), stranger(3, text="a\u0000b")]
    records = [Record(CHANNEL_MESSAGES.name, b"g1", value) for value in [*strange, *good]]
    await rig.broker.publisher.publish(
        [*records, Record(CHANNEL_MESSAGES.name, b"g1", encode_event(message_received(4)))]
    )
    async with running_component(rig.consumer(NOTING)):
        await eventually(partial(has_seen, rig, 1, 2, 3, 4))
        await eventually(partial(rig.broker.has_read_all, CHANNEL_MESSAGES))
    found = await letters(rig)
    assert [letter.value for letter in found] == strange
    assert not any("恭喜" in letter.reason for letter in found)


async def test_a_record_under_another_key_than_its_subject_is_set_aside_and_goes_back_under_its_own(
    rig: Rig,
) -> None:
    before = {kind: figure("huiqun_dead_letters_total", reason=kind) for kind in ("key", "undecodable")}
    other_group = message_received(4).model_copy(update={"subject": "g2"})
    await rig.broker.publisher.publish(
        [
            Record(CHANNEL_MESSAGES.name, b"g2", encode_event(message_received(1, "g1"))),
            Record(CHANNEL_MESSAGES.name, None, encode_event(message_received(2, "g1"))),
            Record(CHANNEL_MESSAGES.name, b"", encode_event(message_received(3, "g1"))),
            Record(CHANNEL_MESSAGES.name, b"g2", encode_event(other_group)),
            Record(CHANNEL_MESSAGES.name, b"g1", encode_event(message_received(5, "g1"))),
        ]
    )
    async with running_component(rig.consumer(NOTING)):
        await eventually(partial(has_seen, rig, 5))
        await eventually(partial(rig.broker.has_read_all, CHANNEL_MESSAGES))
        found = {letter.value: letter for letter in await letters(rig)}
        reasons = {json.loads(value or b"")["data"]["message_id"]: letter.reason for value, letter in found.items()}
        assert reasons == {
            "m00001": "the record's key is not the event's subject",
            "m00002": "the record has no key; it is to be the event's subject",
            "m00003": "the record's key is not the event's subject",
            "m00004": "the event's subject is not its group",
        }
        for letter in found.values():
            await replay_dead_letter(rig.broker.publisher, letter)
        await eventually(partial(has_seen, rig, 1, 2, 3, 5))
    assert figure("huiqun_dead_letters_total", reason="key") >= before["key"] + 4
    assert figure("huiqun_dead_letters_total", reason="undecodable") == before["undecodable"]


async def test_events_of_a_sender_that_partitions_otherwise_are_handled_and_noticed(rig: Rig, logged: Logged) -> None:
    before = figure("huiqun_misplaced_records_total")
    group = b"g1"
    right = choose_partition(group, PARTITIONS)
    topic = rig.broker.options.prefix + CHANNEL_MESSAGES.name
    await rig.broker.send(message_received(0))
    async with AIOKafkaProducer(**rig.broker.options.client_arguments()) as elsewhere:
        for number in range(1, 31):
            await elsewhere.send_and_wait(topic, encode_event(message_received(number)), group, partition=1 - right)
    async with running_component(rig.consumer(NOTING)):
        await eventually(partial(has_seen, rig, *range(31)))
    assert figure("huiqun_misplaced_records_total") == before + 30
    (line,) = logged("record_misplaced")
    assert (line["topic"], line["partition"], line["expected_partition"]) == (CHANNEL_MESSAGES.name, 1 - right, right)


def told_at_once(lines: list[dict[str, Any]]) -> int:
    """How many letters there were beyond those that had a line of their own."""
    return sum(line["records"] for line in lines)


async def test_each_dead_letter_has_a_line_and_a_flood_of_them_one_more(rig: Rig, logged: Logged) -> None:
    await rig.broker.publisher.publish([Record(CHANNEL_MESSAGES.name, b"g1", b'{"text": "110105 secret"')] * 95)
    async with running_component(rig.consumer(NOTING)):
        await eventually(lambda: len(logged("dead_letter")) + told_at_once(logged("more_dead_letters")) == 95)
    each, more = logged("dead_letter"), logged("more_dead_letters")
    assert len(each) <= 20 * (len(more) + 1)
    assert [line["offset"] for line in each[:20]] == list(range(20))
    place = (CHANNEL_MESSAGES.name, choose_partition(b"g1", PARTITIONS), "undecodable")
    assert {(line["topic"], line["partition"], line["kind"]) for line in each} == {place}
    assert "110105" not in str([*each, *more])


HOSTILE = [
    {"display_name": "a\u0000b"},
    {"display_name": "\u202e\ufdd0\U0010ffff"},
    {"external_ids": {"a\u0000b": "c\u0000d"}},
    {"external_ids": {"$where": "1", "a.b": "2", "": "3"}},
    {"external_ids": {"unionid": "\u0000"}},
    {"scene": "\u0000"},
]


@pytest.mark.parametrize("service", [crm_sync, engagement, survey], ids=lambda each: each.SERVICE)
async def test_names_and_ids_that_a_store_cannot_hold_stop_no_service(rig: Rig, mongo_url: str, service: Any) -> None:
    await ensure_indexes(rig.database, service.INDEXES)
    events = []
    for number, change in enumerate(HOSTILE):
        event = json.loads(encode_event(member_joined("g1", f"u{number}")))
        event["data"].update(change)
        events.append(Record(CHANNEL_MEMBERS.name, b"g1", json.dumps(event).encode()))
    await rig.broker.publisher.publish(events)
    async with open_encryption(mongo_url, rig.database.name, MasterKeys("a key of these tests")) as encryption:
        await encryption.start()
        async with running_component(
            rig.consumer(*service.routes(Directory(encryption, SuppressionList(b"a key of these tests"))))
        ) as consuming:
            await eventually(partial(rig.broker.has_read_all, CHANNEL_MEMBERS))
            assert not consuming.done()
    found = [letter.value for letter in await letters(rig)]
    assert len(found) == len(set(found)) < len(HOSTILE)

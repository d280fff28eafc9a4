"""The channel simulator answers as its groups allow, once for each action."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from huiqun.contracts.catalog import decode_event
from huiqun.contracts.channel import (
    Action,
    ActionKind,
    ActionRequested,
    ActionTarget,
    ActionWithdrawn,
    Capabilities,
    CompletionStage,
    Group,
    GroupCreated,
    Member,
    MemberJoined,
    Message,
    MessageReceived,
    Receipt,
    Sender,
    Support,
    WithdrawnAction,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_RECEIPTS
from huiqun.kafka import KafkaOptions, Publisher
from huiqun.kafka.publisher import event_record
from huiqun.kafka.topics import create_topics
from local.channel import Channel
from local.topics import open_reader, read_records

MORNING = datetime(2026, 3, 12, 1, tzinfo=UTC)
GROUP = Group(
    group_id="g1",
    owner="boss",
    capabilities=Capabilities(
        send=Support.STAFF_TASK, mute=Support.NATIVE, remove=Support.STAFF_TASK, delete=Support.NONE
    ),
)


def asked(kind: ActionKind, action_id: str, **more: object) -> ActionRequested:
    target = ActionTarget(member_id="m1", message_id="x1")
    action = Action.model_validate(
        {"action_id": action_id, "group_id": "g1", "kind": kind, "target": target, "requested_by": "test", **more}
    )
    return ActionRequested.create("g1", action, time=datetime.now(UTC), source="test")


def wrote(message_id: str, at: datetime) -> MessageReceived:
    message = Message(message_id=message_id, group_id="g1", sender=Sender(member_id="m1"), text="你好", sent_at=at)
    return MessageReceived.create("g1", message, time=at, source="test")


@pytest_asyncio.fixture
async def channel(kafka_options: KafkaOptions) -> AsyncIterator[Channel]:
    await create_topics(kafka_options, partitions=1, replication=1)
    simulated = Channel(kafka_options, staff_seconds=0.01)
    running = asyncio.create_task(simulated.run())
    await deliver(simulated, GroupCreated.create("g1", GROUP, time=MORNING, source="test"))
    yield simulated
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def deliver(channel: Channel, event: Event) -> bool:
    return await channel.deliver(event_record(event), event, event.time)


async def answers(kafka: KafkaOptions, requests: list[ActionRequested], count: int) -> list[tuple[str, str]]:
    """Ask, and return the first so many receipts as (action id, what became of it)."""
    publisher = Publisher(kafka)
    found: list[tuple[str, str]] = []
    await publisher.publish([event_record(request) for request in requests])
    async with asyncio.timeout(20), open_reader(kafka, CHANNEL_RECEIPTS) as consumer:
        while len(found) < count:
            for record in await read_records(consumer):
                event = decode_event(CHANNEL_RECEIPTS, record.value)
                assert isinstance(event.data, Receipt)
                found.append((event.data.action_id, event.type.rpartition(".")[2]))
    await publisher.stop()
    return found


async def test_what_is_native_is_done_what_staff_do_is_assigned_first_and_the_rest_is_unsupported(
    channel: Channel, kafka_options: KafkaOptions
) -> None:
    requests = [
        asked(ActionKind.MUTE_MEMBER, "mute", duration_seconds=600),
        asked(ActionKind.SEND_MESSAGE, "send", content="请注意"),
        asked(ActionKind.DELETE_MESSAGE, "delete"),
        asked(ActionKind.NOTIFY_STAFF, "notify", content="请核实"),
        asked(ActionKind.SEND_PRIVATE, "late", deadline=datetime.now(UTC) - timedelta(seconds=1)),
    ]
    found = await answers(kafka_options, requests, 6)
    assert sorted(found) == [
        ("delete", "unsupported"),
        ("late", "expired"),
        ("mute", "completed"),
        ("notify", "completed"),
        ("send", "assigned"),
        ("send", "completed"),
    ]
    assert found.index(("send", "assigned")) < found.index(("send", "completed"))
    assert channel.transcript.deleted == set()


async def test_an_action_that_is_asked_for_twice_is_carried_out_once(
    channel: Channel, kafka_options: KafkaOptions
) -> None:
    mute, again = (asked(ActionKind.MUTE_MEMBER, "mute", duration_seconds=600) for _ in range(2))
    found = await answers(kafka_options, [mute, again, asked(ActionKind.NOTIFY_STAFF, "last")], 2)
    assert sorted(found) == [("last", "completed"), ("mute", "completed")]
    assert channel.transcript.repeated == {"mute": 1}


async def test_an_action_of_another_channel_is_left_to_it(channel: Channel, kafka_options: KafkaOptions) -> None:
    foreign = asked(ActionKind.NOTIFY_STAFF, "foreign", channel="wecom/another")
    own = asked(ActionKind.NOTIFY_STAFF, "own", channel="test")
    assert await answers(kafka_options, [foreign, own], 1) == [("own", "completed")]
    assert set(channel.transcript.asked) == {"own"}


async def test_a_task_that_is_withdrawn_before_its_person_gets_to_it_is_not_done(
    channel: Channel, kafka_options: KafkaOptions
) -> None:
    withdrawn = WithdrawnAction(action_id="needless", group_id="g1", reason="reversed")
    publisher = Publisher(kafka_options)
    event = ActionWithdrawn.create("g1", withdrawn, time=datetime.now(UTC), source="test")
    await publisher.publish([event_record(event)])
    await publisher.stop()
    requests = [asked(ActionKind.SEND_MESSAGE, action_id, content="请注意") for action_id in ("needless", "wanted")]
    found = await answers(kafka_options, requests, 3)
    assert sorted(found) == [("needless", "assigned"), ("wanted", "assigned"), ("wanted", "completed")]
    assert channel.transcript.outcomes == {"needless": "assigned", "wanted": "completed"}


@pytest.mark.usefixtures("channel")
async def test_a_receipt_says_that_what_is_completed_was_delivered(kafka_options: KafkaOptions) -> None:
    await answers(kafka_options, [asked(ActionKind.NOTIFY_STAFF, "notify", content="请核实")], 1)
    async with asyncio.timeout(20), open_reader(kafka_options, CHANNEL_RECEIPTS) as consumer:
        [record] = await read_records(consumer)
    event = decode_event(CHANNEL_RECEIPTS, record.value)
    assert event.source == "test"
    assert event.data.stage is CompletionStage.DELIVERED


async def test_a_muted_member_is_not_heard_until_the_mute_is_over(
    channel: Channel, kafka_options: KafkaOptions
) -> None:
    assert await deliver(channel, wrote("m-1", MORNING))
    await answers(kafka_options, [asked(ActionKind.MUTE_MEMBER, "mute", duration_seconds=600)], 1)
    assert not await deliver(channel, wrote("m-2", MORNING + timedelta(minutes=9)))
    assert await deliver(channel, wrote("m-3", MORNING + timedelta(minutes=10)))
    assert channel.transcript.withheld == ["m-2"]


async def test_the_channel_puts_in_the_names_that_it_knows_as_far_as_they_are_names(
    channel: Channel, kafka_options: KafkaOptions
) -> None:
    for member, name in {"m1": "李女士", "boss": "沈岚-理财经理", "m2": "@所有人 您好\n加微信abc12345"}.items():
        data = Member(group_id="g1", member_id=member, display_name=name)
        await deliver(channel, MemberJoined.create("g1", data, time=MORNING, source="test"))
    words = "{member:m1}、{member:m2}、{member:m3}：{member:boss}"
    listed = ("m1", "m2", "m3")
    requests = [
        asked(ActionKind.SEND_MESSAGE, "send", content=words, members=listed),
        asked(ActionKind.NOTIFY_STAFF, "notify", content=words, members=listed),
        asked(ActionKind.DELETE_MESSAGE, "delete", content=words, members=listed),
    ]
    await answers(kafka_options, requests, 4)
    assert channel.transcript.told == {
        "send": "李女士、群友、群友：{member:boss}",
        "notify": "李女士（m1）、m2、m3：{member:boss}",
    }

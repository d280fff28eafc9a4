"""One day of all services, on which everybody writes personal data wherever they can."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest_asyncio

from huiqun.contracts.catalog import UndecodableError, decode_event, encode_event
from huiqun.contracts.channel import (
    Capabilities,
    Group,
    GroupCreated,
    Member,
    MemberJoined,
    Message,
    MessageReceived,
    Role,
    Sender,
    Support,
)
from huiqun.contracts.envelope import Event
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.runtime.ids import new_id
from local.stack import Stack
from tests.privacy.asking import Caller
from tests.privacy.events import broken, planted_events
from tests.privacy.house import House, open_house
from tests.privacy.plants import Plants
from tests.servers import kafka_options_of

#: Somebody whose id is a mobile number.
NUMBER = "13812345678"
_NATIVE = Capabilities(send=Support.NATIVE, delete=Support.NATIVE, mute=Support.NATIVE, remove=Support.NATIVE)
_ROUNDS = 6  # of offences: the last sanction is the proposal to remove the member
_EACH = 3  # so that every field has every kind of personal data at one time
_BROKEN = 60  # fewer than what a consumer takes for a fault of its own


@dataclass
class Day:
    """What was planted, who asked what, and the services that it went through."""

    house: House
    plants: Plants
    caller: Caller


@pytest_asyncio.fixture(scope="session")
async def day(session_stack: Stack) -> AsyncIterator[Day]:
    """The services after that day."""
    kafka = kafka_options_of(session_stack, f"test-{uuid.uuid4().hex[:12]}.")
    async with open_house(session_stack, kafka) as house:
        plants = Plants()
        day = Day(house, plants, Caller(house, plants))
        await _found_group(day)
        await _say_everything(day)
        await house.pass_time(timedelta(minutes=2))
        await day.caller.report_messages(8)
        for name in house.services:
            await day.caller.ask_everything(name)
        await house.pass_time(timedelta(hours=3))
        await day.caller.ask_everything("moderation", again=True)
        await day.caller.ask_amiss(house.signed_token)
        await house.pass_time(timedelta(days=4))
        yield day


async def _found_group(day: Day) -> None:
    """A group, in which a policy greets newcomers and checks the roster."""
    now = day.house.clock.now()
    group = Group(group_id="g1", name="理财一群", owner="staff-1", capabilities=_NATIVE)
    await _send(day.house, [GroupCreated.create("g1", group, time=now), _joined(day, "staff-1", Role.STAFF)])
    await day.house.settle()


def _joined(day: Day, member_id: str, role: Role = Role.CUSTOMER) -> MemberJoined:
    data = Member(
        group_id="g1",
        member_id=member_id,
        role=role,
        display_name=PersonName(f"官方{day.plants.name('MemberJoined.data.display_name')}"),
        external_ids={"unionid": PlatformId(day.plants.platform_id("MemberJoined.data.external_ids"))},
    )
    return MemberJoined.create("g1", data, time=day.house.clock.now())


async def _say_everything(day: Day) -> None:
    """Every event of the contracts, broken ones, and messages that lead to cases, sanctions, reports and appeals."""
    house, plants = day.house, day.plants
    events = list(planted_events(plants, house.clock.now, _EACH))
    wrong = [
        (kind, record)
        for kind, value in events
        if kind.topic.owner == "channel"
        for each in broken(json.loads(value), plants)
        if _is_refused(kind, record := json.dumps(each).encode())
    ]
    for kind, value in events:
        # What we send ourselves leaves as our classes write it; what the channel sends comes as it comes.
        ours = kind.topic.owner != "channel"
        await house.send(kind.topic, "g1", [encode_event(decode_event(kind.topic, value)) if ours else value])
    for kind, value in wrong[:: max(len(wrong) // _BROKEN, 1)]:
        await house.send(kind.topic, "g1", [value])
    await house.settle()
    for _ in range(_ROUNDS):  # one after the other, because each offence has its own sanction
        offence = f"在家兼职刷单日赚三百 {plants.prose('a message', 300)}"
        await _send(house, [_message(day, by, offence) for by in ("u7", "u8", "u9")])
        await house.settle()
        house.clock.moment += timedelta(minutes=5)
    await _send(house, [_joined(day, NUMBER), _message(day, NUMBER, "请问网点几点开门")])
    starts = ("申诉", "举报", "退群", "我已阅读并同意")
    await _send(house, [_message(day, "u7", f"{start} {plants.prose('a message', 300)}") for start in starts])
    await _send(house, [_joined(day, f"newcomer-{number}") for number in range(3)])
    await house.settle()


def _is_refused(kind: type[Event], record: bytes) -> bool:
    """Whether nothing is made of a record; an id that has to be written otherwise stays one, whatever it says."""
    try:
        decode_event(kind.topic, record)
    except UndecodableError:
        return True
    return False


def _message(day: Day, by: str, text: str) -> MessageReceived:
    now = day.house.clock.now()
    sender = Sender(member_id=by, display_name=PersonName(day.plants.name("Sender.display_name")))
    reply_to = "m0" if text.startswith("举报") else None
    data = Message(message_id=new_id(), group_id="g1", sender=sender, text=text, reply_to=reply_to, sent_at=now)
    return MessageReceived.create("g1", data, time=now)


async def _send(house: House, events: Sequence[Event]) -> None:
    for event in events:
        await house.send(event.topic, event.subject, [encode_event(event)])

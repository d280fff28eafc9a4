"""A roster says who is there, in whatever order and however often the events arrive."""

import random
from datetime import timedelta

from huiqun.channel.directory.store import find_member
from huiqun.contracts.channel import ActionKind, LeaveReason, Role
from huiqun.contracts.envelope import Event
from huiqun.store import Outside
from tests.moderation.membership.community import NOON, Community, joined, left, listed, renamed

MINUTE = timedelta(minutes=1)


async def test_a_record_keeps_how_a_member_came_and_why_they_went(community: Community) -> None:
    await community.deliver(joined("u1", name="李女士"), left("u1", at=NOON + MINUTE, reason=LeaveReason.REMOVED))
    member = await find_member(Outside(community.transactor.database), "g1", "u1")
    assert member is not None
    assert member.arrived is not None
    assert (member.arrived.value.invited_by, member.arrived.value.scene) == ("staff-1", "qr")
    assert (member.left_reason, member.is_present, member.left_at) == (LeaveReason.REMOVED, False, NOON + MINUTE)
    (details,) = (await community.directory.reveal([member])).values()
    assert details.display_name == "李女士"


async def test_what_a_member_agreed_to_goes_when_the_directory_forgets_them(community: Community) -> None:
    await community.write_policy(rules_text="1. 文明交流。", consent={})
    await community.deliver(joined("u1"), joined("u2"))
    await community.pass_time(minutes=1)
    await community.deliver(left("u1", at=NOON + 2 * MINUTE), left("u2", at=NOON + 2 * MINUTE))
    await community.deliver(joined("u2", at=NOON + 3 * MINUTE))
    gone = {state["member_id"]: state["gone_since"] for state in await community.documents("members")}
    assert gone == {"u1": NOON + 2 * MINUTE, "u2": None}


async def test_who_is_missing_from_a_listing_is_not_reminded_any_more(community: Community) -> None:
    await community.write_policy(rules_text="1. 文明交流。", consent={"remind_after_hours": 1, "reminders": 1})
    await community.deliver(joined("u1"), joined("u2"))
    await community.pass_time(minutes=1)
    await community.deliver(listed("g1", ["u2", "u3"], as_of=community.clock.now()))
    await community.pass_time(hours=2)
    reminded = [action.target.member_id for action in community.actions if action.kind is ActionKind.SEND_PRIVATE]
    assert reminded == ["u2"]
    assert [key for key, member in (await community.entries()).items() if member.is_present] == ["g1/u2", "g1/u3"]
    assert len(community.said()) == 1, "who was there all along is no newcomer"


async def test_groups_shuffled_and_events_repeated_leave_the_same_documents(community: Community) -> None:
    chance = random.Random(7)
    groups: list[list[Event]] = [
        [
            joined("u1", group),
            renamed("u1", "新名字", group, NOON + MINUTE),
            left("u1", group, NOON + 2 * MINUTE),
            joined("u2", group, NOON + 3 * MINUTE, role=Role.STAFF),
            joined("u1", group, NOON + 4 * MINUTE),
        ]
        for group in ("g1", "g2", "g3")
    ]
    await community.deliver(*(event for events in groups for event in events))
    expected = await community.entries()
    await community.transactor.database["directory"].delete_many({})
    waiting = [list(events) for events in groups]
    while any(waiting):
        events = chance.choice([events for events in waiting if events])
        size = chance.randint(1, 3)
        await community.deliver(*events[:size])
        del events[: chance.randint(1, size)]  # some are delivered again
    assert await community.entries() == expected

"""A roster says who is there, in whatever order and however often the events arrive."""

import random
from datetime import timedelta

from huiqun.channel.directory.store import find_member
from huiqun.contracts.channel import ActionKind, LeaveReason, Role
from huiqun.contracts.envelope import Event
from tests.moderation.membership.people import joined, left, listed, renamed
from tests.moderation.rig import MONDAY, ModerationRig

MINUTE = timedelta(minutes=1)


async def test_a_record_keeps_how_a_member_came_and_why_they_went(rig: ModerationRig) -> None:
    await rig.deliver(joined("u1", name="李女士"), left("u1", at=MONDAY + MINUTE, reason=LeaveReason.REMOVED))
    member = await find_member(rig.reader, "g1", "u1")
    assert member is not None
    assert member.arrived is not None
    assert (member.arrived.value.invited_by, member.arrived.value.scene) == ("staff-1", "qr")
    assert (member.left_reason, member.is_present, member.left_at) == (LeaveReason.REMOVED, False, MONDAY + MINUTE)
    (details,) = (await rig.directory.reveal_personal_details([member])).values()
    assert details.display_name == "李女士"


async def test_what_a_member_agreed_to_goes_when_the_directory_forgets_them(rig: ModerationRig) -> None:
    await rig.write_policy(rules_text="1. 文明交流。", consent={})
    await rig.deliver(joined("u1"), joined("u2"))
    await rig.run_due(timedelta(minutes=1))
    await rig.deliver(left("u1", at=MONDAY + 2 * MINUTE), left("u2", at=MONDAY + 2 * MINUTE))
    await rig.deliver(joined("u2", at=MONDAY + 3 * MINUTE))
    gone = {state["member_id"]: state["gone_since"] for state in await rig.documents("members")}
    assert gone == {"u1": MONDAY + 2 * MINUTE, "u2": None}


async def test_who_is_missing_from_a_listing_is_not_reminded_any_more(rig: ModerationRig) -> None:
    await rig.write_policy(rules_text="1. 文明交流。", consent={"remind_after_hours": 1, "reminders": 1})
    await rig.deliver(joined("u1"), joined("u2"))
    await rig.run_due(timedelta(minutes=1))
    await rig.deliver(listed("g1", ["u2", "u3"], as_of=rig.clock.moment))
    await rig.run_due(timedelta(hours=2))
    reminded = [action.target.member_id for action in rig.actions() if action.kind is ActionKind.SEND_PRIVATE]
    assert reminded == ["u2"]
    assert [key for key, member in (await rig.members()).items() if member.is_present] == ["g1/u2", "g1/u3"]
    assert len(rig.said()) == 1, "who was there all along is no newcomer"


async def test_groups_shuffled_and_events_repeated_leave_the_same_documents(rig: ModerationRig) -> None:
    chance = random.Random(7)
    groups: list[list[Event]] = [
        [
            joined("u1", group),
            renamed("u1", "新名字", group, MONDAY + MINUTE),
            left("u1", group, MONDAY + 2 * MINUTE),
            joined("u2", group, MONDAY + 3 * MINUTE, role=Role.STAFF),
            joined("u1", group, MONDAY + 4 * MINUTE),
        ]
        for group in ("g1", "g2", "g3")
    ]
    await rig.deliver(*(event for events in groups for event in events))
    expected = await rig.members()
    await rig.clear()
    waiting = [list(events) for events in groups]
    while any(waiting):
        events = chance.choice([events for events in waiting if events])
        size = chance.randint(1, 3)
        await rig.deliver(*events[:size])
        await rig.database["inbox"].delete_many({})  # as if it had been too long ago for the inbox
        del events[: chance.randint(1, size)]  # some are delivered again
    assert await rig.members() == expected

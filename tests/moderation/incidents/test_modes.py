"""Group modes: set by hand, judged in screening, over by themselves."""

from datetime import datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given

from huiqun.contracts.channel import ActionKind, Role
from huiqun.contracts.moderation import GroupMode, ModeChanged, Verdict
from huiqun.testing.events import NOON, member_joined, minutes_after_noon
from moderation.incidents.model.modes import GroupHolds, Hold, announcement, with_hold, without_hold
from tests.moderation.incidents.scene import Caller, asked, audited, create, judged, mode_of, pending
from tests.moderation.rig import ModerationRig

AD = "加我微信 wx88888888 日赚千元"


ORDER = list(GroupMode)
CHANGES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(GroupMode), st.integers(1, 9), st.integers(0, 3)), max_size=12
)


@given(CHANGES)
def test_a_group_is_always_in_the_severest_mode_it_is_held_in(changes: list[tuple[str, GroupMode, int, int]]) -> None:
    group, now, told = GroupHolds("g1"), NOON, "normal"
    wishes: dict[str, tuple[GroupMode, datetime]] = {}
    for by, mode, minutes, passed in changes:
        now += timedelta(minutes=passed)
        wishes.pop(by, None)
        if mode is GroupMode.NORMAL:
            after = without_hold(group, by, now)
        else:
            wishes[by] = (mode, now + timedelta(minutes=minutes))
            after = with_hold(group, Hold(by, mode, wishes[by][1], mode.value, "normal", "me"), now)
        told = announcement(group, after, now) or told
        group = after
        lasting = [mode for mode, until in wishes.values() if until > now]
        assert group.mode is max(lasting, key=ORDER.index, default=GroupMode.NORMAL)
        assert told == group.mode.value


def test_the_time_of_a_mode_begins_when_it_began_whoever_holds_it_now() -> None:
    first = with_hold(
        GroupHolds("g1"), Hold("a", GroupMode.QUIET, minutes_after_noon(5), "", "", "me", frozenset("x")), NOON
    )
    both = with_hold(
        first, Hold("b", GroupMode.QUIET, minutes_after_noon(9), "", "", "me", frozenset("y")), minutes_after_noon(2)
    )
    alone = without_hold(both, "a", minutes_after_noon(4)).span(minutes_after_noon(4))
    together = both.span(minutes_after_noon(2))
    assert together is not None
    assert together.staff == {"x", "y"}
    assert alone is not None
    assert (alone.since, alone.until, set(alone.staff)) == (NOON, minutes_after_noon(9), {"y"})


async def set_mode(caller: Caller, mode: str, group: str = "g1", **fields: object) -> dict[str, object]:
    view: dict[str, object] = await caller.put(f"groups/{group}/mode", {"mode": mode, **fields}, seen="*")
    return view


async def test_a_change_of_mode_is_announced_and_so_is_its_end(rig: ModerationRig, moderator: Caller) -> None:
    await create(rig, "g1", "g2")
    await set_mode(moderator, "quiet", minutes=30)
    await set_mode(moderator, "quiet", minutes=60)
    await set_mode(moderator, "lockdown", minutes=60)
    await rig.run_due(timedelta(minutes=61))
    changes = rig.data_of(ModeChanged)
    assert [(each.group_id, each.before.value, each.mode.value) for each in changes] == [
        ("g1", "normal", "quiet"),
        ("g1", "quiet", "lockdown"),
        ("g1", "lockdown", "normal"),
    ]
    assert [each.until is None for each in changes] == [False, False, True]


async def test_in_lockdown_only_staff_are_let_through_and_nobody_is_struck(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create(rig, "g1")
    await set_mode(moderator, "lockdown")
    for number in range(8):
        blocked = await judged(rig, "g1", f"请问第 {number} 号柜台今天几点开门")
        assert blocked.data.verdict is Verdict.BLOCK
        assert (blocked.data.reasons[0].rule, blocked.data.reasons[0].category) == ("mode", "lockdown")
    staff = await judged(rig, "g1", "请大家稍候", member="staff-1", role=Role.STAFF)
    assert staff.data.verdict is Verdict.ALLOW
    assert (await judged(rig, "g2")).data.verdict is Verdict.ALLOW
    standing = await rig.database["standings"].find_one({"_id": "g1/u1"})
    assert standing is not None
    assert "strikes" not in standing


async def test_who_writes_in_lockdown_is_told_why_once_and_each_message_is_to_be_deleted(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create(rig, "g1")
    await set_mode(moderator, "lockdown", minutes=300)
    for minutes in (0, 1, 30, 61):
        rig.clock.moment += timedelta(minutes=minutes)
        await judged(rig, "g1")
    kinds = [action.kind for action in asked(rig, "g1")]
    assert kinds.count(ActionKind.DELETE_MESSAGE) == 4
    assert kinds.count(ActionKind.SEND_PRIVATE) == 2


async def test_in_quiet_mode_a_short_question_to_staff_passes_and_other_messages_are_warned(
    rig: ModerationRig, moderator: Caller
) -> None:
    await create(rig, "g1")
    await set_mode(moderator, "quiet", staff=["staff-1"])
    assert (await judged(rig, "g1", "请问利率是多少？", mentions=["staff-1"])).data.verdict is Verdict.ALLOW
    assert (await judged(rig, "g1", "请问利率是多少？", mentions=["u7"])).data.verdict is Verdict.WARN
    assert (await judged(rig, "g1", "今天天气不错")).data.verdict is Verdict.WARN
    assert (await judged(rig, "g1", "我想说" * 40, mentions=["staff-1"])).data.verdict is Verdict.WARN
    assert ActionKind.DELETE_MESSAGE not in {action.kind for action in rig.actions()}


async def test_where_no_staff_are_named_any_mention_makes_a_question(rig: ModerationRig, moderator: Caller) -> None:
    await set_mode(moderator, "quiet")
    assert (await judged(rig, "g1", "请问几点开门", mentions=["u7"])).data.verdict is Verdict.ALLOW


async def test_the_staff_in_the_group_may_be_asked_without_being_named(rig: ModerationRig, moderator: Caller) -> None:
    await rig.deliver(member_joined("g1", "staff-4", role=Role.STAFF), member_joined("g1", "u7"))
    await set_mode(moderator, "quiet")
    assert (await judged(rig, "g1", "请问几点开门", mentions=["staff-4"])).data.verdict is Verdict.ALLOW
    assert (await judged(rig, "g1", "请问几点开门", mentions=["u7"])).data.verdict is Verdict.WARN


async def test_an_offence_stays_an_offence_in_quiet_mode(rig: ModerationRig, moderator: Caller) -> None:
    await set_mode(moderator, "quiet")
    offence = await judged(rig, "g1", AD)
    assert offence.data.verdict is Verdict.BLOCK
    standing = await rig.database["standings"].find_one({"_id": "g1/u1"})
    assert standing is not None
    assert len(standing["strikes"]) == 1


async def test_a_mode_is_announced_ends_by_itself_and_is_announced_again(rig: ModerationRig, moderator: Caller) -> None:
    await create(rig, "g1")
    await set_mode(moderator, "quiet", minutes=30, text="本群暂时安静。")
    await rig.run_due(timedelta(minutes=29))
    assert (await judged(rig, "g1")).data.verdict is Verdict.WARN
    await rig.run_due(timedelta(minutes=2))
    assert (await judged(rig, "g1")).data.verdict is Verdict.ALLOW
    said = [action.content for action in rig.actions() if action.kind is ActionKind.SEND_MESSAGE]
    assert said[0] == "本群暂时安静。"
    assert "恢复正常" in said[1]
    assert len(said) == 2


async def test_a_message_from_before_the_lockdown_is_not_blocked(rig: ModerationRig, moderator: Caller) -> None:
    await set_mode(moderator, "lockdown")
    rig.clock.moment -= timedelta(minutes=1)
    assert (await judged(rig, "g1")).data.verdict is Verdict.ALLOW


async def test_whoever_saw_another_mode_is_refused(rig: ModerationRig, moderator: Caller) -> None:
    seen = (await moderator.get("groups/g1/mode"))["revision"]
    await moderator.put("groups/g1/mode", {"mode": "quiet"}, seen=seen)
    await moderator.put("groups/g1/mode", {"mode": "lockdown"}, seen=seen, status=412)
    assert (await moderator.get("groups/g1/mode"))["mode"] == "quiet"
    assert await audited(rig) == ["group.mode.set"]


async def test_back_to_normal_by_hand_may_have_words_of_its_own(rig: ModerationRig, moderator: Caller) -> None:
    await set_mode(moderator, "lockdown")
    view = await set_mode(moderator, "normal", text="大家可以发言了。")
    assert (view["mode"], view["holds"]) == ("normal", [])
    assert [action.content for action in rig.actions()][-1] == "大家可以发言了。"
    assert await pending(rig) == []


async def test_what_an_incident_holds_is_not_loosened_by_hand(rig: ModerationRig, moderator: Caller) -> None:
    opened = await moderator.post("incidents", {"kind": "attack", "groups": ["g1"]}, status=201)
    refused = await moderator.put("groups/g1/mode", {"mode": "quiet"}, seen="*", status=409)
    assert opened["id"] in refused["detail"]
    assert await mode_of(rig, "g1") == "lockdown"


async def test_viewers_may_look_but_not_set(rig: ModerationRig, auditor: Caller) -> None:
    await auditor.get("groups/g1/mode")
    await auditor.put("groups/g1/mode", {"mode": "quiet"}, seen="*", status=403)
    assert await mode_of(rig, "g1") == "normal"

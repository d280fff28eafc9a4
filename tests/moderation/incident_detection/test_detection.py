"""Where many messages are blocked, an incident is proposed to a person."""

from datetime import timedelta

from huiqun.contracts.channel import ActionKind
from moderation.incident_detection.handlers import schedule_detection
from tests.moderation.incidents.people import Caller
from tests.moderation.incidents.scenario import create_groups, judge_message
from tests.moderation.rig import ModerationRig

AD = "加我微信 wx88888888 日赚千元"


async def blocked(rig: ModerationRig, group: str, times: int) -> None:
    for number in range(times):
        await judge_message(rig, group, f"{AD} {number}", member=f"u{number}")


async def proposals(rig: ModerationRig) -> list[tuple[str, str | None]]:
    return [
        (action.record_key, action.assignee)
        for action in rig.actions()
        if action.kind is ActionKind.NOTIFY_STAFF and action.reason.endswith("/proposed")
    ]


async def test_a_jump_of_blocked_messages_is_told_to_the_groups_owner_once(rig: ModerationRig) -> None:
    await create_groups(rig, "g1", "g2")
    await rig.run(schedule_detection)
    await blocked(rig, "g1", 19)
    await rig.run_due(timedelta(minutes=1))
    assert await proposals(rig) == []
    await blocked(rig, "g1", 1)
    await blocked(rig, "g2", 3)
    await rig.run_due(timedelta(minutes=5))
    assert await proposals(rig) == [("g1", "staff-1")]
    await blocked(rig, "g1", 20)
    await rig.run_due(timedelta(minutes=2))
    assert len(await proposals(rig)) == 1


async def test_blocked_messages_that_lie_far_apart_are_no_jump(rig: ModerationRig) -> None:
    await rig.run(schedule_detection)
    for _ in range(3):
        await blocked(rig, "g1", 10)
        await rig.run_due(timedelta(minutes=11))
    assert await proposals(rig) == []


async def test_what_a_lockdown_keeps_out_proposes_nothing(rig: ModerationRig, moderator: Caller) -> None:
    await rig.run(schedule_detection)
    await moderator.put("groups/g1/mode", {"mode": "lockdown"}, seen="*")
    for number in range(25):
        await judge_message(rig, "g1", f"你好 {number}", member=f"u{number}")
    await rig.run_due(timedelta(minutes=2))
    assert await proposals(rig) == []


async def test_nothing_is_proposed_where_such_an_incident_is_on(rig: ModerationRig, moderator: Caller) -> None:
    await rig.run(schedule_detection)
    await moderator.post("incidents", {"kind": "attack", "groups": ["g1"]}, status=201)
    await moderator.post("incidents", {"kind": "attack", "groups": ["g2"], "drill": True}, status=201)
    await blocked(rig, "g1", 20)
    await blocked(rig, "g2", 20)
    await rig.run_due(timedelta(minutes=2))
    assert [group for group, _ in await proposals(rig)] == ["g2"]


async def test_groups_may_be_counted_together(rig: ModerationRig, admin: Caller, approver: Caller) -> None:
    plan = (await admin.get("incident-plans/attack"))["plan"]
    plan["trigger"] = {"blocks": 10, "minutes": 10, "scope": "all"}
    await admin.post("incident-plans/attack/versions", {"plan": plan}, status=201)
    await approver.post("incident-plans/attack/activation", {"version": 1}, seen="*")
    await rig.run(schedule_detection)
    await blocked(rig, "g1", 4)
    await blocked(rig, "g2", 6)
    await rig.run_due(timedelta(minutes=2))
    assert [group for group, _ in await proposals(rig)] == ["g2"]

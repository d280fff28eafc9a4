"""Where many messages are blocked, an incident is proposed to a person."""

from huiqun.contracts.channel import ActionKind
from moderation.incidents.handlers import watching
from tests.moderation.incidents.desk import Caller, Desk

AD = "加我微信 wx88888888 日赚千元"


async def blocked(desk: Desk, group: str, times: int) -> None:
    for number in range(times):
        await desk.say(group, f"{AD} {number}", member=f"u{number}")


async def proposals(desk: Desk) -> list[tuple[str, str | None]]:
    return [
        (action.record_key, action.assignee)
        for action in await desk.asked()
        if action.kind is ActionKind.NOTIFY_STAFF and action.reason.endswith("/proposed")
    ]


async def test_a_jump_of_blocked_messages_is_told_to_the_groups_owner_once(desk: Desk) -> None:
    await desk.create("g1", "g2")
    await desk.transactor.run(watching.start_watching)
    await blocked(desk, "g1", 19)
    await desk.pass_minutes(1)
    assert await proposals(desk) == []
    await blocked(desk, "g1", 1)
    await blocked(desk, "g2", 3)
    await desk.pass_minutes(5)
    assert await proposals(desk) == [("g1", "staff-1")]
    await blocked(desk, "g1", 20)
    await desk.pass_minutes(2)
    assert len(await proposals(desk)) == 1


async def test_blocked_messages_that_lie_far_apart_are_no_jump(desk: Desk) -> None:
    await desk.transactor.run(watching.start_watching)
    for _ in range(3):
        await blocked(desk, "g1", 10)
        await desk.pass_minutes(11)
    assert await proposals(desk) == []


async def test_what_a_lockdown_keeps_out_proposes_nothing(desk: Desk, moderator: Caller) -> None:
    await desk.transactor.run(watching.start_watching)
    await moderator.put("groups/g1/mode", {"mode": "lockdown"}, seen="*")
    for number in range(25):
        await desk.say("g1", f"你好 {number}", member=f"u{number}")
    await desk.pass_minutes(2)
    assert await proposals(desk) == []


async def test_nothing_is_proposed_where_such_an_incident_is_on(desk: Desk, moderator: Caller) -> None:
    await desk.transactor.run(watching.start_watching)
    await moderator.post("incidents", {"kind": "attack", "groups": ["g1"]}, status=201)
    await moderator.post("incidents", {"kind": "attack", "groups": ["g2"], "drill": True}, status=201)
    await blocked(desk, "g1", 20)
    await blocked(desk, "g2", 20)
    await desk.pass_minutes(2)
    assert [group for group, _ in await proposals(desk)] == ["g2"]


async def test_groups_may_be_counted_together(desk: Desk, admin: Caller, approver: Caller) -> None:
    plan = (await admin.get("incident-plans/attack"))["plan"]
    plan["trigger"] = {"blocks": 10, "minutes": 10, "scope": "all"}
    await admin.post("incident-plans/attack/versions", {"plan": plan}, status=201)
    await approver.post("incident-plans/attack/activation", {"version": 1}, seen="*")
    await desk.transactor.run(watching.start_watching)
    await blocked(desk, "g1", 4)
    await blocked(desk, "g2", 6)
    await desk.pass_minutes(2)
    assert [group for group, _ in await proposals(desk)] == ["g2"]

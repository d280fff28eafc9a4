"""No member's name leaves moderation: actions hold ids, and so does all that is kept of them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from huiqun.contracts.channel import (
    Action,
    ActionRequested,
    Group,
    GroupUpdated,
    Member,
    MemberJoined,
    MemberUpdated,
    MessageReceived,
    Role,
)
from huiqun.contracts.channel.mentions import render_names
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseOutcome
from huiqun.privacy.names import PersonName
from huiqun.web.principals import Principal
from moderation.cases.handlers.mediating import mediate_case
from moderation.cases.handlers.patrolling import go_now
from moderation.cases.model.mediation import Mediation, Where
from moderation.incidents.handlers.incidents import open_incident
from moderation.incidents.model.incident import Opening
from moderation.membership.handlers.checks import RosterChecks, replace_staff
from moderation.membership.model.staff import Staff
from moderation.policies.model import Rules
from tests.moderation.rig import ANNA, BAD, BO, DOUBTFUL, OWNER, SHORT, ModerationRig

# Whoever finds one of these outside of the roster has found a leak.
OFFENDER, NEWCOMER, IMPOSTOR, BOSS = "欧阳植物", "上官登录", "司徒经理", "慕容当家"
PLANTED = (OFFENDER, NEWCOMER, IMPOSTOR, BOSS)
RULES: dict[str, Any] = {
    "membership": {
        "rules_text": "文明交流",
        "welcome": {"window_seconds": 1},
        "consent": {"by_link": False, "remind_after_hours": 1},
        "roster": {},
    }
}
MODERATOR = Principal("moderator", "moderator", frozenset({"moderator"}))


@pytest_asyncio.fixture
async def planted(rig: ModerationRig) -> AsyncIterator[ModerationRig]:
    """A group in which everybody has a name that stands in no text of ours."""
    await rig.set_rules(Rules.model_validate(RULES))
    await join(rig, OWNER, BOSS, Role.STAFF)
    yield rig
    await assert_no_name_is_kept(rig)


async def join(rig: ModerationRig, member: str, name: str, role: Role = Role.CUSTOMER) -> None:
    data = Member(group_id="g1", member_id=member, display_name=name, role=role, invited_by=OWNER)
    await rig.deliver(MemberJoined.create("g1", data, time=rig.clock.moment))


async def write(rig: ModerationRig, text: str, by: str, name: str) -> str:
    event = rig.message(text, by)
    sender = event.data.sender.model_copy(update={"display_name": PersonName(name)})
    data = event.data.model_copy(update={"sender": sender})
    await rig.deliver(MessageReceived.create("g1", data, time=rig.clock.moment))
    rig.clock.moment += SHORT
    return data.message_id


async def asked(rig: ModerationRig, **wanted: Any) -> Action:
    """The last action with these values."""
    actions: list[Action] = rig.data_of(ActionRequested)
    return [each for each in actions if all(getattr(each, name) == value for name, value in wanted.items())][-1]


async def assert_no_name_is_kept(rig: ModerationRig) -> None:
    for event in rig.data_of(Event):
        assert not any(name in event.model_dump_json() for name in PLANTED)
    for collection in await rig.database.list_collection_names():
        async for document in rig.database[collection].find():
            assert not any(name in _shown(document) for name in PLANTED), (collection, document)


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else _shown_parts(value)


def _shown_parts(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_shown(each)}" for name, each in value.items())
    return " ".join(map(_shown, value)) if isinstance(value, list) else str(value)


async def test_an_offender_climbs_the_ladder_appeals_and_is_removed_by_id(planted: ModerationRig) -> None:
    await join(planted, "u1", OFFENDER)
    for _ in range(5):
        await write(planted, BAD, "u1", OFFENDER)
    warning = await asked(planted, kind="send_message", reason="fraud")
    mute = await asked(planted, kind="mute_member", reason="fraud")
    proposal = await asked(planted, kind="notify_staff", reason="fraud")
    assert warning.members == mute.members == proposal.members == ("u1",)
    assert render_names(warning, {"u1": OFFENDER}).startswith(f"{OFFENDER}您好，您刚才的发言涉及“涉嫌欺诈”")
    assert render_names(mute, {"u1": OFFENDER}).startswith(f"{OFFENDER}因多次违反群规")
    assert f"成员 {OFFENDER}（u1） 多次违反群规" in render_names(proposal, {"u1": OFFENDER})
    await write(planted, "申诉 我没有", "u1", OFFENDER)
    [removal] = await planted.cases(kind="removal")
    await planted.decide(removal.id, CaseOutcome.UPHELD, BO)
    [appeal] = await planted.cases(kind="appeal")
    await planted.decide(appeal.id, CaseOutcome.REVERSED, ANNA)


async def test_a_task_that_is_put_to_a_person_and_escalated_names_both_by_id(planted: ModerationRig) -> None:
    group = Group(group_id="g1", owner=OWNER)  # as a WeCom group can: nothing by itself
    await planted.deliver(GroupUpdated.create("g1", group, time=planted.clock.moment))
    await join(planted, "u1", OFFENDER)
    for _ in range(5):
        await write(planted, BAD, "u1", OFFENDER)
    [removal] = await planted.cases(kind="removal")
    await planted.decide(removal.id, CaseOutcome.UPHELD, BO)
    await planted.run_due(timedelta(minutes=31))
    reminder = await asked(planted, kind="notify_staff", task=None, reason="fraud")
    assert reminder.members == ("u1",)
    task = await asked(planted, task="remove_member")
    assert render_names(task, {"u1": OFFENDER}).startswith(f"请将成员 {OFFENDER}（u1） 移出群聊，并做好说明。\n消息：")
    await planted.run_due(timedelta(minutes=31))
    actions: list[Action] = planted.data_of(ActionRequested)
    late = [action for action in actions if action.content.startswith("升级")]
    assert all(action.members[0] == OWNER for action in late)
    assert late


async def test_a_newcomer_is_welcomed_and_reminded_by_id(planted: ModerationRig) -> None:
    planted.follows_actions = True
    await join(planted, "u2", NEWCOMER)
    for _ in range(2):
        await planted.run_due(timedelta(hours=2))
    welcome = await asked(planted, reason="welcome")
    assert render_names(welcome, {"u2": NEWCOMER}).startswith(f"欢迎 {NEWCOMER} 加入本群！")
    assert await asked(planted, reason="consent")


@pytest.mark.parametrize("name", ["@所有人 您好 上官登录", "加微信abc12345 上官登录", "上官登录 内含兼职刷单"])
async def test_a_newcomer_whose_name_is_no_name_is_welcomed_without_it(planted: ModerationRig, name: str) -> None:
    await join(planted, "u2", name)
    await planted.run_due(timedelta(seconds=2))
    welcome = await asked(planted, reason="welcome")
    assert (welcome.members, welcome.content.partition("！")[0]) == ((), "欢迎 新朋友 加入本群")


async def test_a_roster_check_that_finds_an_impostor_reports_ids(planted: ModerationRig) -> None:
    await planted.run(lambda work: replace_staff(work, [Staff("s1", "名单上的人")], lambda _: None, "tester"))
    await join(planted, "u3", IMPOSTOR)
    await join(planted, "u4", BOSS)
    report = await planted.run(lambda work: RosterChecks(planted.directory).check_now(work, "g1", "tester"))
    assert [(found.member_id, found.detail) for found in report.findings] == [
        (OWNER, ""),
        ("u3", "经理"),
        ("u4", OWNER),  # of the same name
    ]
    notice = await asked(planted, reason="roster")
    assert notice.members == (OWNER, "u3", "u4")
    assert f"{IMPOSTOR}（u3）" in render_names(notice, {"u3": IMPOSTOR})


async def test_mediation_patrols_and_incidents_name_nobody_but_by_id(planted: ModerationRig) -> None:
    await join(planted, "u1", OFFENDER)
    await join(planted, "u2", NEWCOMER)
    await write(planted, DOUBTFUL, "u1", OFFENDER)
    [case] = await planted.cases()
    await planted.run(lambda work: mediate_case(work, case.id, Mediation(Where.PRIVATE, others=("u2",)), ANNA))
    task = await asked(planted, kind="notify_staff")
    assert task.members == ("u1", "u2")
    await planted.run(lambda work: go_now(work, "g1", "tester"))
    opening = Opening("attack", ("g1",), "有人说 {member:u1}", owners={})
    await planted.run(lambda work: open_incident(work, opening, MODERATOR))
    await planted.run_due(timedelta(hours=1))
    steps = [action for action in planted.data_of(ActionRequested) if "情况：" in action.content]
    # Nobody is listed: that is sent as it was written.
    assert all("有人说 {member:u1}" in action.content and not action.members for action in steps)
    assert steps
    escalation = next(each for each in planted.data_of(ActionRequested) if "已超时" in each.content)
    assert escalation.members == (OWNER,)


async def test_what_a_group_is_called_is_told_without_what_else_it_says(planted: ModerationRig) -> None:
    group = Group(group_id="g1", owner=OWNER, name="@所有人【官方】\n{member:u2}群")
    await planted.deliver(GroupUpdated.create("g1", group, time=planted.clock.moment))
    await join(planted, "u2", NEWCOMER)
    await planted.run_due(timedelta(seconds=2))
    welcome = await asked(planted, reason="welcome")
    assert "加入所有人 官方 member u2 群！" in welcome.content
    renamed = group.model_copy(update={"name": "加微信abc12345 http://x.example.com"})
    later = planted.clock.moment + timedelta(seconds=1)
    await planted.deliver(GroupUpdated.create("g1", renamed, time=later))
    await write(planted, BAD, "u2", NEWCOMER)
    await planted.run(lambda work: go_now(work, "g1", "tester"))
    assert (await asked(planted, reason="patrol")).content.startswith("【巡群】g1，")


async def test_a_new_name_changes_nothing_that_was_asked_for(planted: ModerationRig) -> None:
    await join(planted, "u1", NEWCOMER)
    data = Member(group_id="g1", member_id="u1", display_name=OFFENDER)
    await planted.deliver(MemberUpdated.create("g1", data, time=planted.clock.moment + SHORT))
    await write(planted, BAD, "u1", OFFENDER)
    assert (await asked(planted, kind="send_message", reason="fraud")).content.startswith("{member:u1}您好")

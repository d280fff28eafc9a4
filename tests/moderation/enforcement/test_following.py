"""Sanctions are asked for, followed and taken back as the channel can carry them out."""

from dataclasses import replace
from datetime import timedelta

from huiqun.channel.actions.handlers import record_receipts, request_actions
from huiqun.channel.actions.store import find_action
from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionKind,
    ActionTarget,
    Capabilities,
    Support,
)
from huiqun.contracts.channel.actions import Receipt
from huiqun.runtime.ids import new_id
from huiqun.testing.events import NATIVE, message_recalled
from moderation.policies import store as policy_store
from moderation.policies.model import GroupSettings, OwnRules, Policies, Rules, changes_of
from tests.moderation.rig import ModerationRig


async def state_of(rig: ModerationRig, asked: Action) -> str:
    found = await find_action(rig.reader, asked.action_id)
    assert found is not None
    return found.state.value


async def test_who_the_policy_names_is_told_of_a_task_that_nobody_does(rig: ModerationRig) -> None:
    await rig.know_group()
    own = Rules.model_validate({"review": {"escalate_to": "staff-lead"}})
    await rig.run(lambda work: policy_store.set_own_rules(work, OwnRules(rig.group, 1, changes_of(own))))
    target = ActionTarget(member_id="u1")
    asked = Action(
        action_id=new_id(), group_id=rig.group, kind=ActionKind.SEND_MESSAGE, target=target, requested_by="tester"
    )
    await rig.run(lambda work: request_actions(work, asked))
    receipt = Receipt(action_id=asked.action_id, group_id=rig.group, assignee="staff-7")
    event = ActionAssigned.create(rig.group, receipt, time=rig.clock.moment)
    await rig.run(lambda work: record_receipts(work, [event]))
    await rig.run_due(timedelta(minutes=61))
    told = {each.assignee: each.content for each in rig.actions(ActionKind.NOTIFY_STAFF)}
    assert {person: text[:2] for person, text in told.items()} == {"staff-7": "提醒", "staff-lead": "升级"}
    assert "staff-7" in told["staff-lead"]


async def test_a_mute_is_asked_for_again_for_what_is_left_of_it_and_not_after_its_end(rig: ModerationRig) -> None:
    await rig.know_group()
    await rig.say_all("一起刷单")
    await rig.run_due(timedelta(minutes=2))
    await rig.say_all("一起刷单")
    await rig.run_due(timedelta(minutes=5))
    assert [each.duration_seconds for each in rig.actions(ActionKind.MUTE_MEMBER)] == [600, 300]
    await rig.run_due(timedelta(days=1))
    assert len(rig.actions(ActionKind.MUTE_MEMBER)) == 2
    assert [each.task for each in rig.actions(ActionKind.NOTIFY_STAFF) if each.task is ActionKind.MUTE_MEMBER] == []
    mute = rig.actions(ActionKind.MUTE_MEMBER)[0]
    assert await state_of(rig, mute) == "expired"


async def test_a_message_that_its_sender_withdraws_need_not_be_deleted_any_more(rig: ModerationRig) -> None:
    by_hand = Capabilities(send=Support.NATIVE, delete=Support.STAFF_TASK)
    await rig.know_group(capabilities=by_hand)
    settings = GroupSettings(owner="staff-1", capabilities=by_hand)
    policies = Policies(rig.current().policies.active, {rig.group: settings})
    rig.rulebook = replace(rig.current(), policies=policies)
    (message,) = await rig.say_all("一起刷单")
    await rig.deliver(message_recalled(message))
    told = rig.actions(ActionKind.NOTIFY_STAFF)
    assert [each.task for each in told] == [ActionKind.DELETE_MESSAGE, None]
    assert await state_of(rig, told[0]) == "withdrawn"
    (warning,) = rig.actions(ActionKind.SEND_MESSAGE)
    assert await state_of(rig, warning) == "requested", "what was judged stays judged"


async def test_a_group_that_had_a_policy_before_the_channel_told_of_it_is_served_as_the_channel_can(
    rig: ModerationRig,
) -> None:
    await rig.run(lambda work: policy_store.assign(work, rig.group, None))
    groups, _ = await policy_store.groups_since(rig.reader, None)
    policies = Policies(rig.current().policies.active, {rig.group: groups[rig.group]})
    rig.rulebook = replace(rig.current(), policies=policies)  # as it is until it is refreshed
    await rig.know_group(capabilities=NATIVE)
    await rig.say_all("一起刷单")
    assert [each.kind for each in rig.actions(ActionKind.DELETE_MESSAGE)] == [ActionKind.DELETE_MESSAGE]

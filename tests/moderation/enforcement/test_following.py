"""Sanctions are asked for, followed and taken back as the channel can carry them out."""

from dataclasses import replace

from huiqun.channel.actions.handlers import record_receipts, request_actions
from huiqun.channel.actions.store import find_action
from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionKind,
    ActionTarget,
    Capabilities,
    MessageRecalled,
    Recall,
    Support,
)
from huiqun.contracts.channel.actions import Receipt
from huiqun.runtime.ids import new_id
from huiqun.store import Outside
from moderation.policies import store as policy_store
from moderation.policies.model import GroupSettings, OwnRules, Policies, Rules, changes_of
from tests.moderation.bench import NATIVE, Bench


async def state_of(bench: Bench, asked: Action) -> str:
    found = await find_action(Outside(bench.database), asked.action_id)
    assert found is not None
    return found.state.value


async def test_who_the_policy_names_is_told_of_a_task_that_nobody_does(bench: Bench) -> None:
    await bench.know_group()
    own = Rules.model_validate({"review": {"escalate_to": "staff-lead"}})
    await bench.commit(lambda work: policy_store.set_own_rules(work, OwnRules(bench.group, 1, changes_of(own))))
    target = ActionTarget(member_id="u1")
    asked = Action(
        action_id=new_id(), group_id=bench.group, kind=ActionKind.SEND_MESSAGE, target=target, requested_by="tester"
    )
    await bench.commit(lambda work: request_actions(work, asked))
    receipt = Receipt(action_id=asked.action_id, group_id=bench.group, assignee="staff-7")
    event = ActionAssigned.about(bench.group, receipt, time=bench.clock.now())
    await bench.commit(lambda work: record_receipts(work, [event]))
    await bench.pass_time(minutes=61)
    told = {each.assignee: each.content for each in bench.actions(ActionKind.NOTIFY_STAFF)}
    assert {person: text[:2] for person, text in told.items()} == {"staff-7": "提醒", "staff-lead": "升级"}
    assert "staff-7" in told["staff-lead"]


async def test_a_mute_is_asked_for_again_for_what_is_left_of_it_and_not_after_its_end(bench: Bench) -> None:
    await bench.know_group()
    await bench.say("一起刷单")
    await bench.pass_time(minutes=2)
    await bench.say("一起刷单")
    await bench.pass_time(minutes=5)
    assert [each.duration_seconds for each in bench.actions(ActionKind.MUTE_MEMBER)] == [600, 300]
    await bench.pass_time(days=1)
    assert len(bench.actions(ActionKind.MUTE_MEMBER)) == 2
    assert [each.task for each in bench.actions(ActionKind.NOTIFY_STAFF) if each.task is ActionKind.MUTE_MEMBER] == []
    mute = bench.actions(ActionKind.MUTE_MEMBER)[0]
    assert await state_of(bench, mute) == "expired"


async def test_a_message_that_its_sender_withdraws_need_not_be_deleted_any_more(bench: Bench) -> None:
    by_hand = Capabilities(send=Support.NATIVE, delete=Support.STAFF_TASK)
    await bench.know_group(capabilities=by_hand)
    settings = GroupSettings(owner="staff-1", capabilities=by_hand)
    policies = Policies(bench.rulebook.policies.active, {bench.group: settings})
    bench.rulebook = replace(bench.rulebook, policies=policies)
    (message,) = await bench.say("一起刷单")
    recall = Recall(message_id=message.data.message_id, group_id=bench.group, recalled_by="u1")
    event = MessageRecalled.about(bench.group, recall, time=bench.clock.now())
    await bench.commit(lambda work: bench.screening.recall(work, [event]))
    told = bench.actions(ActionKind.NOTIFY_STAFF)
    assert [each.task for each in told] == [ActionKind.DELETE_MESSAGE, None]
    assert await state_of(bench, told[0]) == "withdrawn"
    (warning,) = bench.actions(ActionKind.SEND_MESSAGE)
    assert await state_of(bench, warning) == "requested", "what was judged stays judged"


async def test_a_group_that_had_a_policy_before_the_channel_told_of_it_is_served_as_the_channel_can(
    bench: Bench,
) -> None:
    await bench.commit(lambda work: policy_store.assign(work, bench.group, None))
    groups, _ = await policy_store.groups_since(Outside(bench.database), None)
    policies = Policies(bench.rulebook.policies.active, {bench.group: groups[bench.group]})
    bench.rulebook = replace(bench.rulebook, policies=policies)  # as it is until it is refreshed
    await bench.know_group(capabilities=NATIVE)
    await bench.say("一起刷单")
    assert [each.kind for each in bench.actions(ActionKind.DELETE_MESSAGE)] == [ActionKind.DELETE_MESSAGE]

"""Actions are carried out as the channel can, and followed to their end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionKind,
    ActionTarget,
    ActionUnsupported,
    Capabilities,
    MessageRecalled,
    Recall,
    Support,
)
from huiqun.contracts.channel.actions import Receipt
from huiqun.contracts.channel.mentions import with_names
from huiqun.runtime.ids import new_id
from huiqun.store import Outside
from huiqun.work import Work
from moderation.enforcement import store
from moderation.enforcement.handlers import record_receipts, request_actions
from moderation.enforcement.model import How, as_task, how_of
from moderation.policies import store as policy_store
from moderation.policies.model import GroupSettings, OwnRules, Policies, Rules, changes_of
from tests.moderation.bench import NATIVE, Bench
from tests.stories import dismissed

BY_HAND = Capabilities()  # what a WeCom customer group can do


def action(bench: Bench, kind: ActionKind = ActionKind.SEND_PRIVATE) -> Action:
    return Action(
        action_id=new_id(),
        group_id=bench.group,
        kind=kind,
        target=ActionTarget(member_id="u1", message_id="m1"),
        content="请留意群规",
        duration_seconds=600 if kind is ActionKind.MUTE_MEMBER else None,
        reason="ads",
        requested_by="tester",
    )


async def ask(bench: Bench, *actions: Action) -> None:
    await bench.commit(lambda work: request_actions(work, [(each, None) for each in actions]))


async def answer(bench: Bench, asked: Action, *kinds: Any, **fields: str) -> None:
    receipt = Receipt(action_id=asked.action_id, group_id=bench.group, **fields)
    receipts = [kind.about(bench.group, receipt, time=bench.clock.now()) for kind in kinds]
    await bench.commit(lambda work: record_receipts(work, receipts))


async def state_of(bench: Bench, asked: Action) -> str:
    document = await store.find(Outside(bench.database), asked.action_id)
    assert document is not None
    return str(document["state"])


@pytest.mark.parametrize(
    ("capabilities", "kind", "how"),
    [
        (NATIVE, ActionKind.DELETE_MESSAGE, How.NATIVE),
        (NATIVE, ActionKind.MUTE_MEMBER, How.NATIVE),
        (BY_HAND, ActionKind.DELETE_MESSAGE, How.UNSUPPORTED),
        (BY_HAND, ActionKind.MUTE_MEMBER, How.UNSUPPORTED),
        (BY_HAND, ActionKind.UNMUTE_MEMBER, How.UNSUPPORTED),
        (BY_HAND, ActionKind.REMOVE_MEMBER, How.STAFF_TASK),
        (BY_HAND, ActionKind.SEND_MESSAGE, How.NATIVE),
        (BY_HAND, ActionKind.NOTIFY_STAFF, How.NATIVE),
        (Capabilities(send=Support.NONE), ActionKind.SEND_PRIVATE, How.UNSUPPORTED),
        (Capabilities(send=Support.NONE), ActionKind.NOTIFY_STAFF, How.NATIVE),
        (Capabilities(send_private=Support.NONE), ActionKind.SEND_PRIVATE, How.UNSUPPORTED),
        (Capabilities(send_private=Support.NONE), ActionKind.SEND_MESSAGE, How.NATIVE),
        (Capabilities(send_private=Support.STAFF_TASK), ActionKind.SEND_PRIVATE, How.NATIVE),
    ],
)
def test_what_the_channel_can_do_decides_how_an_action_is_carried_out(
    capabilities: Capabilities, kind: ActionKind, how: How
) -> None:
    asked = Action(action_id="a", group_id="g", kind=kind, requested_by="tester")
    assert how_of(asked, GroupSettings(capabilities=capabilities)) is how


@pytest.mark.parametrize("kind", [each for each in ActionKind if each is not ActionKind.NOTIFY_STAFF])
def test_every_action_can_be_put_to_a_staff_member_in_words(kind: ActionKind) -> None:
    target = ActionTarget(member_id="u1", message_id="m1")
    asked = Action(action_id="a", group_id="g", kind=kind, target=target, content="请留意", requested_by="tester")
    task = as_task(asked, "staff-1", "a")
    assert (task.kind, task.task, task.assignee) == (ActionKind.NOTIFY_STAFF, kind, "staff-1")
    told = with_names(task, {"u1": "李女士"})
    assert told
    assert "{" not in told


async def dismiss(bench: Bench) -> None:
    async def use_case(work: Work) -> None:
        await bench.directory.record(work, [dismissed(bench.group)])
        await policy_store.note_groups(work, [bench.group])

    await bench.commit(use_case)


async def test_in_a_group_that_is_no_more_people_can_be_told_something_and_nothing_else_is_asked(bench: Bench) -> None:
    await dismiss(bench)
    asked = [action(bench, kind) for kind in ActionKind]
    await ask(bench, *asked)
    told = {ActionKind.SEND_PRIVATE, ActionKind.NOTIFY_STAFF, ActionKind.TRANSFER_CUSTOMER}
    assert {each.kind for each in bench.actions()} == told
    states = {each.kind: await state_of(bench, each) for each in asked}
    assert states == {kind: "requested" if kind in told else "unsupported" for kind in ActionKind}


async def test_an_open_action_is_given_up_when_its_group_is_dismissed(bench: Bench) -> None:
    asked = action(bench, ActionKind.DELETE_MESSAGE)
    await ask(bench, asked)
    await dismiss(bench)
    await bench.pass_time(days=1)
    assert await state_of(bench, asked) == "expired"
    assert len(bench.actions()) == 1


async def test_an_action_is_asked_for_once_and_ends_with_its_receipt(bench: Bench) -> None:
    asked = action(bench)
    await ask(bench, asked)
    assert [each.action_id for each in bench.actions()] == [asked.action_id]
    assert await state_of(bench, asked) == "requested"
    await answer(bench, asked, ActionAssigned, assignee="staff-7")
    assert await state_of(bench, asked) == "assigned"
    await answer(bench, asked, ActionCompleted)
    assert await state_of(bench, asked) == "completed"
    await bench.pass_time(days=1)
    assert len(bench.actions()) == 1


@pytest.mark.parametrize("later", [ActionFailed, ActionExpired, ActionAssigned, ActionUnsupported])
async def test_an_ended_action_keeps_its_end(bench: Bench, later: Any) -> None:
    asked = action(bench)
    await ask(bench, asked)
    await answer(bench, asked, ActionCompleted)
    await answer(bench, asked, later)
    await bench.pass_time(days=1)
    assert await state_of(bench, asked) == "completed"
    assert len(bench.actions()) == 1


async def test_receipts_of_one_batch_count_in_their_order(bench: Bench) -> None:
    asked = action(bench)
    await ask(bench, asked)
    await answer(bench, asked, ActionAssigned, ActionFailed, ActionCompleted)
    assert await state_of(bench, asked) == "completed"


async def test_a_receipt_of_an_action_that_nobody_asked_for_is_passed_over(bench: Bench) -> None:
    await answer(bench, action(bench), ActionCompleted)
    assert await bench.documents(store.ACTIONS) == []


async def test_what_the_channel_cannot_do_is_recorded_and_not_asked(bench: Bench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    asked = action(bench, ActionKind.MUTE_MEMBER)
    await ask(bench, asked)
    assert bench.actions() == []
    assert await state_of(bench, asked) == "unsupported"
    await bench.pass_time(days=1)
    assert bench.actions() == []


def kinds(actions: Sequence[Action]) -> list[ActionKind]:
    return [each.kind for each in actions]


async def test_a_silent_channel_is_asked_again_under_the_same_id_before_a_person_is(bench: Bench) -> None:
    asked = action(bench, ActionKind.DELETE_MESSAGE)
    await ask(bench, asked)
    await bench.pass_time(minutes=16)
    assert kinds(bench.actions()) == [ActionKind.DELETE_MESSAGE] * 3
    assert {each.action_id for each in bench.actions()} == {asked.action_id}
    await bench.pass_time(minutes=15)
    task = bench.actions()[-1]
    assert (task.kind, task.task, task.assignee) == (ActionKind.NOTIFY_STAFF, ActionKind.DELETE_MESSAGE, "staff-1")
    assert await state_of(bench, asked) == "expired"
    assert await state_of(bench, task) == "requested"


async def test_a_task_is_reminded_of_escalated_and_at_last_given_up(bench: Bench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    asked = action(bench, ActionKind.REMOVE_MEMBER)
    await ask(bench, asked)
    (task,) = bench.actions()
    assert (task.kind, task.assignee, task.action_id) == (ActionKind.NOTIFY_STAFF, "staff-1", asked.action_id)
    await bench.pass_time(minutes=31)
    assert bench.actions()[-1].content.startswith("提醒")
    await bench.pass_time(minutes=30)
    assert bench.actions()[-1].content.startswith("升级")
    await bench.pass_time(minutes=60)
    assert await state_of(bench, asked) == "expired"
    told = len(bench.actions())
    await bench.pass_time(days=1)
    assert len(bench.actions()) == told


async def test_after_downtime_the_steps_come_one_by_one(bench: Bench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    await ask(bench, action(bench, ActionKind.REMOVE_MEMBER))
    bench.clock.moment = bench.clock.moment.replace(hour=23)
    await bench.pass_time(seconds=0)
    assert len(bench.actions()) == 2
    await bench.pass_time(minutes=1)
    assert len(bench.actions()) == 3


async def test_a_failed_action_is_tried_again_soon(bench: Bench) -> None:
    asked = action(bench)
    await ask(bench, asked)
    await answer(bench, asked, ActionFailed, detail="the channel is busy")
    await bench.pass_time(seconds=59)
    assert len(bench.actions()) == 1
    await bench.pass_time(seconds=1)
    assert [each.action_id for each in bench.actions()] == [asked.action_id] * 2


async def test_a_person_whom_the_channel_has_asked_is_reminded_and_then_somebody_above_is_told(bench: Bench) -> None:
    await bench.know_group()
    own = Rules.model_validate({"review": {"escalate_to": "staff-lead"}})
    await bench.commit(lambda work: policy_store.set_own_rules(work, OwnRules(bench.group, 1, changes_of(own))))
    asked = action(bench, ActionKind.SEND_MESSAGE)
    await ask(bench, asked)
    await answer(bench, asked, ActionAssigned, assignee="staff-7")
    await bench.pass_time(minutes=29)
    assert len(bench.actions()) == 1, "who has been asked to confirm it is not asked again every five minutes"
    await bench.pass_time(minutes=32)
    reminder, escalation = bench.actions(ActionKind.NOTIFY_STAFF)
    assert (reminder.assignee, escalation.assignee) == ("staff-7", "staff-lead")
    assert (reminder.content[:2], "staff-7" in escalation.content) == ("提醒", True)
    await answer(bench, asked, ActionAssigned, assignee="staff-7")
    assert (await store.find(Outside(bench.database), asked.action_id) or {})["steps"] == 2
    await bench.pass_time(minutes=60)
    assert await state_of(bench, asked) == "expired"


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

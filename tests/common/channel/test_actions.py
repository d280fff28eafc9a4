"""Actions are carried out as the channel can, and followed to their end."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from huiqun.channel.actions.context import quote_message
from huiqun.channel.actions.handlers import rehearse_actions, request_actions, withdraw_actions
from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionCompleted,
    ActionKind,
    ActionTarget,
    Capabilities,
    GroupDismissal,
    GroupDismissed,
    Support,
)
from huiqun.runtime.ids import new_id
from huiqun.testing.events import NOON
from huiqun.work import Transactor
from tests.common.channel.bench import BY_HAND, ActionsBench


async def dismiss(bench: ActionsBench) -> None:
    gone = GroupDismissed.create(bench.group, GroupDismissal(group_id=bench.group), time=bench.clock.moment)
    await bench.run(lambda work: bench.directory.record_events(work, [gone]))


async def test_in_a_group_that_is_no_more_people_can_be_told_something_and_nothing_else_is_asked(
    bench: ActionsBench,
) -> None:
    await dismiss(bench)
    asked = [bench.action(kind) for kind in ActionKind]
    await bench.ask(*asked)
    told = {ActionKind.SEND_PRIVATE, ActionKind.NOTIFY_STAFF, ActionKind.TRANSFER_CUSTOMER}
    assert {each.kind for each in bench.asked} == told
    states = {each.kind: await bench.state_of(each) for each in asked}
    assert states == {kind: "requested" if kind in told else "unsupported" for kind in ActionKind}


async def test_an_open_action_is_given_up_when_its_group_is_dismissed(bench: ActionsBench) -> None:
    asked = bench.action(ActionKind.DELETE_MESSAGE)
    await bench.ask(asked)
    await dismiss(bench)
    await bench.run_due(timedelta(days=1))
    assert await bench.state_of(asked) == "expired"
    assert len(bench.asked) == 1


async def test_an_action_is_asked_for_once_and_ends_with_its_receipt(bench: ActionsBench) -> None:
    asked = bench.action()
    await bench.ask(asked)
    assert [each.action_id for each in bench.asked] == [asked.action_id]
    assert await bench.state_of(asked) == "requested"
    await bench.answer(asked, ActionAssigned, assignee="staff-7")
    assert await bench.state_of(asked) == "assigned"
    await bench.answer(asked, ActionCompleted)
    assert await bench.state_of(asked) == "completed"
    await bench.run_due(timedelta(days=1))
    assert len(bench.asked) == 1


async def test_what_the_channel_cannot_do_is_recorded_and_not_asked(bench: ActionsBench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    asked = bench.action(ActionKind.MUTE_MEMBER)
    await bench.ask(asked)
    assert bench.asked == []
    assert await bench.state_of(asked) == "unsupported"
    await bench.run_due(timedelta(days=1))
    assert bench.asked == []


async def test_what_a_drill_would_ask_for_is_recorded_and_neither_asked_nor_followed(bench: ActionsBench) -> None:
    rehearsed = bench.action()
    await bench.run(lambda work: rehearse_actions(work, rehearsed))
    await bench.run_due(timedelta(days=1))
    assert bench.asked == []
    assert await bench.state_of(rehearsed) == "shadow"


@dataclass
class Ear(CommandListener):
    """Hears what is asked of the store."""

    commands: list[str] = field(default_factory=list)

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Hear the question only."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Hear the question only."""


async def test_a_batch_is_one_read_and_three_writes_however_many_actions_it_asks_for(
    bench: ActionsBench, mongo_url: str
) -> None:
    ear, own = Ear(), bench.transactor
    client = AsyncMongoClient[dict[str, Any]](mongo_url, tz_aware=True, event_listeners=[ear])
    heard = Transactor(client, client[own.database.name], own.publisher, own.clock)
    await heard.commit(lambda work: request_actions(work, *(bench.action() for _ in range(50))))
    assert ear.commands == ["find", "insert", "update", "insert", "commitTransaction"]  # actions, tasks, outbox
    await client.close()


async def test_a_silent_channel_is_asked_again_under_the_same_id_before_a_person_is(bench: ActionsBench) -> None:
    asked = bench.action(ActionKind.DELETE_MESSAGE)
    await bench.ask(asked, context=quote_message("一起刷单 加我", NOON - timedelta(minutes=3)))
    await bench.run_due(timedelta(minutes=16))
    assert [each.kind for each in bench.asked] == [ActionKind.DELETE_MESSAGE] * 3
    assert {each.action_id for each in bench.asked} == {asked.action_id}
    await bench.run_due(timedelta(minutes=15))
    task = bench.asked[-1]
    assert (task.kind, task.task, task.assignee) == (ActionKind.NOTIFY_STAFF, ActionKind.DELETE_MESSAGE, "staff-1")
    assert task.content == (
        "【惠民理财】请在群内撤回或删除成员 {member:u1} 的违规消息。\n消息：11-22 11:57“一起刷单 加我”"
    )
    assert await bench.state_of(asked) == "expired"
    assert await bench.state_of(task) == "requested"
    assert (await bench.followed(asked)).excerpt == "", "nobody is quoted longer than it is needed"


async def test_a_task_is_reminded_of_escalated_and_at_last_given_up(bench: ActionsBench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    asked = bench.action(ActionKind.REMOVE_MEMBER)
    await bench.ask(asked)
    (task,) = bench.asked
    assert (task.kind, task.assignee, task.action_id) == (ActionKind.NOTIFY_STAFF, "staff-1", asked.action_id)
    await bench.run_due(timedelta(minutes=31))
    assert bench.told[-1].content.startswith("提醒：")
    await bench.run_due(timedelta(minutes=30))
    assert bench.told[-1].content.startswith("升级：")
    await bench.run_due(timedelta(minutes=60))
    assert await bench.state_of(asked) == "expired"
    told = len(bench.told)
    await bench.run_due(timedelta(days=1))
    assert len(bench.told) == told == 3


async def test_a_reminder_is_followed_like_any_action_and_not_reminded_of(bench: ActionsBench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    await bench.ask(bench.action(ActionKind.REMOVE_MEMBER))
    await bench.run_due(timedelta(minutes=30))
    reminder = bench.told[-1]
    await bench.run_due(timedelta(minutes=29))
    assert [each.action_id for each in bench.asked].count(reminder.action_id) == 3, "a silent channel is asked again"
    await bench.answer(reminder, ActionCompleted)
    assert await bench.state_of(reminder) == "completed"
    await bench.run_due(timedelta(minutes=1))
    escalation = bench.told[-1]
    await bench.answer(escalation, ActionAssigned, assignee="staff-lead")
    await bench.run_due(timedelta(days=1))
    assert await bench.state_of(escalation) == "expired"
    assert bench.told[-1] == escalation


async def test_after_downtime_the_steps_come_one_by_one(bench: ActionsBench) -> None:
    await bench.know_group(capabilities=BY_HAND)
    await bench.ask(bench.action(ActionKind.REMOVE_MEMBER))
    bench.clock.moment = bench.clock.moment.replace(hour=23)
    await bench.run_due()
    assert len(bench.asked) == 2
    await bench.run_due(timedelta(minutes=1))
    assert len(bench.asked) == 3


async def test_a_person_whom_the_channel_has_asked_is_reminded_and_then_somebody_above_is_told(
    bench: ActionsBench,
) -> None:
    asked = bench.action(ActionKind.SEND_MESSAGE)
    await bench.ask(asked)
    await bench.answer(asked, ActionAssigned, assignee="staff-7")
    await bench.run_due(timedelta(minutes=29))
    assert len(bench.asked) == 1, "who has been asked to confirm it is not asked again every five minutes"
    await bench.run_due(timedelta(minutes=32))
    reminder, escalation = bench.told
    assert (reminder.assignee, escalation.assignee) == ("staff-7", "staff-lead")
    assert (reminder.content[:2], "staff-7" in escalation.content) == ("提醒", True)
    await bench.answer(asked, ActionAssigned, assignee="staff-7")
    assert (await bench.followed(asked)).steps == 2
    await bench.run_due(timedelta(minutes=60))
    assert await bench.state_of(asked) == "expired"


async def test_who_has_many_parts_of_a_mass_message_is_reminded_once_for_all_of_them(bench: ActionsBench) -> None:
    parts = [bench.action(ActionKind.SEND_MESSAGE, batch_id="batch-1") for _ in range(3)]
    await bench.ask(*parts)
    for part in parts:
        await bench.answer(part, ActionAssigned, assignee="staff-7")
    await bench.answer(parts[0], ActionCompleted)
    await bench.run_due(timedelta(hours=5))
    (reminder,) = bench.told
    assert reminder.assignee == "staff-7"
    assert "共 2 项" in reminder.content
    assert reminder.batch_id is None


async def test_a_withdrawn_action_is_followed_no_longer_and_who_was_asked_is_told(bench: ActionsBench) -> None:
    await bench.know_group(capabilities=Capabilities(send=Support.NATIVE, remove=Support.STAFF_TASK))
    removal, done = bench.action(ActionKind.REMOVE_MEMBER), bench.action(ActionKind.SEND_MESSAGE)
    await bench.ask(removal, done)
    await bench.answer(done, ActionCompleted)
    await bench.run_due(timedelta(minutes=30))
    reminder = bench.told[-1]
    known = [await bench.followed(each) for each in (removal, done)]
    await bench.run(lambda work: withdraw_actions(work, known, "reversed"))
    assert bench.withdrawn == [removal.action_id, reminder.action_id]
    assert [await bench.state_of(each) for each in (removal, reminder, done)] == ["withdrawn", "withdrawn", "completed"]
    told = bench.told[-1]
    assert told.assignee == "staff-1"
    assert told.content.startswith("以下事项已撤销")
    assert "【惠民理财】请将成员 {member:u1} 移出群聊" in told.content
    await bench.answer(told, ActionCompleted)
    number = len(bench.asked)
    await bench.run_due(timedelta(days=1))
    assert len(bench.asked) == number


async def test_a_transfer_keeps_who_hands_over_to_whom_when_it_is_asked_for_again(bench: ActionsBench) -> None:
    transfer = Action(
        action_id=new_id(),
        kind=ActionKind.TRANSFER_CUSTOMER,
        target=ActionTarget(member_id="u9"),
        from_staff="staff-1",
        to_staff="staff-2",
        requested_by="tester",
    )
    await bench.ask(transfer)
    await bench.run_due(timedelta(minutes=5))
    assert bench.asked == [transfer, transfer]

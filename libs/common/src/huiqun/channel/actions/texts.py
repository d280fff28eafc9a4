"""What staff are told of actions: which group, who, when, and how the message begins, as they see it in a chat."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from huiqun.channel.actions.model import FollowedAction
from huiqun.channel.directory.model import DirectoryGroup
from huiqun.contracts.channel import Action, ActionKind, GroupKind
from huiqun.contracts.channel.mentions import AddressedText, Mention, TextSegment, compose_text, join_texts
from huiqun.contracts.channel.shown_names import clean_group_name

_TASKS: Final[Mapping[ActionKind, str]] = {
    ActionKind.SEND_MESSAGE: "请在群内发送：{content}",
    ActionKind.SEND_PRIVATE: "请私信成员 {member}：{content}",
    ActionKind.DELETE_MESSAGE: "请在群内撤回或删除成员 {member} 的这条消息。",
    ActionKind.MUTE_MEMBER: "请提醒成员 {member} 暂停发言 {span}。要转达的内容：{content}",
    ActionKind.UNMUTE_MEMBER: "成员 {member} 的禁言已结束（{reason}），请恢复其发言。",
    ActionKind.REMOVE_MEMBER: "请将成员 {member} 移出群聊，并做好说明。",
}
_REMINDER: Final = AddressedText("提醒：以下事项尚未处理。\n")
_MASS_REMINDER: Final = "提醒：您有一条群发消息尚未确认发送（共 {number} 项）。\n"
_ESCALATION: Final = "升级：{who} 尚未处理以下事项。\n"
_MESSAGE: Final = "\n消息：{at}“{excerpt}”"
_TIME: Final = "\n时间：{at}"
_WITHDRAWAL: Final = AddressedText("以下事项已撤销，请勿再执行；如已执行，请告知群主。")


def describe_task(followed: FollowedAction, group: DirectoryGroup) -> AddressedText:
    """Say what a person is asked to do, in which group, about whom, since when, and about which message."""
    action, zone = followed.action, group_timezone_of(group)
    task = compose_text(
        _TASKS.get(action.kind, "{content}"),
        member=Mention(action.target.member_id) if action.target.member_id else "",
        span=format_duration(action.duration_seconds or 0),
        content=AddressedText(action.content, action.members),
        reason=action.reason,
    )
    at = format_local_time(followed.sent_at or followed.requested_at, zone)
    about = compose_text(_MESSAGE if followed.sent_at and followed.excerpt else _TIME, at=at, excerpt=followed.excerpt)
    name = group_name_of(group)
    heading = f"【{name}】" if name and name not in task.content else ""
    return join_texts("", [heading, task, about])


def describe_reminder(followed: FollowedAction, group: DirectoryGroup, waiting: int) -> AddressedText:
    """Remind whoever has the task; of a mass message, of which so many actions wait for them, with one reminder."""
    is_mass_message = followed.action.batch_id is not None
    opening: TextSegment = compose_text(_MASS_REMINDER, number=str(waiting)) if is_mass_message else _REMINDER
    return join_texts("", [opening, describe_task(followed, group)])


def describe_escalation(followed: FollowedAction, group: DirectoryGroup, assignee: str | None) -> AddressedText:
    """Tell somebody above that a task is not done, and whose it is."""
    opening = compose_text(_ESCALATION, who=Mention(assignee) if assignee else "负责人")
    return join_texts("", [opening, describe_task(followed, group)])


def describe_withdrawal(tasks: Sequence[FollowedAction], group: DirectoryGroup) -> AddressedText:
    """Tell somebody who was asked to carry them out that these tasks need not be done any more."""
    return join_texts("\n", [_WITHDRAWAL, *(describe_task(task, group) for task in tasks)])


def replace_action_text(action: Action, text: AddressedText) -> Action:
    """Return the action with this text."""
    return action.model_copy(update={"content": text.content, "members": text.members})


def group_name_of(group: DirectoryGroup) -> str:
    """What staff are told that a group is called; empty where nobody has named it."""
    if group.profile.kind is GroupKind.PRIVATE:
        return "单聊"
    return clean_group_name(group.profile.name)


def group_timezone_of(group: DirectoryGroup) -> ZoneInfo:
    """The time zone in which people of the group read times."""
    return ZoneInfo(group.profile.timezone)


def format_local_time(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as people read it: month, day, hour and minute."""
    return f"{moment.astimezone(zone):%m-%d %H:%M}"


def format_duration(seconds: int) -> str:
    """A span of time as members read it."""
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = [f"{number} {unit}" for number, unit in ((hours, "小时"), (minutes, "分钟")) if number]
    return " ".join(parts) or "1 分钟"

"""From a decision to actions: what to delete, whom to warn, mute or propose for removal, and in which words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from huiqun.contracts.channel import Action, ActionKind, ActionTarget, Capabilities, Support
from huiqun.contracts.moderation import SanctionKind
from moderation.standing.model import Climb

REQUESTED_BY = "moderation"
_DEADLINE = timedelta(hours=2)

CATEGORY_NAMES: Mapping[str, str] = {
    "ads": "广告推销",
    "solicitation": "引流拉客",
    "fraud": "涉嫌欺诈",
    "abuse": "辱骂他人",
    "politics": "敏感话题",
    "obscenity": "低俗内容",
    "violence": "暴力内容",
    "rumour": "未经证实的消息",
    "id_card": "身份证号",
    "bank_card": "银行卡号",
    "mobile": "手机号码",
    "email": "邮箱地址",
    "links": "外部链接",
    "quota": "每日发言条数",
    "length": "发言长度",
    "flood": "刷屏",
    "duplicate": "重复发言",
    "quiet_hours": "免打扰时段发言",
    "kind": "本群不支持的消息类型",
    "probation": "新成员观察期内发送外部联系方式",
    "announcement": "冒用官方口吻",
    "promise": "违规承诺收益",
    "impolite": "服务用语不当",
    "consent": "尚未确认群规",
}
# Which capability of a group an action needs. Telling a staff member something is always possible.
_NEEDS: Mapping[ActionKind, str] = {
    ActionKind.SEND_MESSAGE: "send",
    ActionKind.SEND_PRIVATE: "send",
    ActionKind.DELETE_MESSAGE: "delete",
    ActionKind.MUTE_MEMBER: "mute",
    ActionKind.UNMUTE_MEMBER: "mute",
    ActionKind.REMOVE_MEMBER: "remove",
}
_TASKS: Mapping[ActionKind, str] = {
    ActionKind.DELETE_MESSAGE: "请在群内撤回或删除成员 {member} 的违规消息（消息编号 {message}）。",
    ActionKind.MUTE_MEMBER: "请提醒成员 {member} 暂停发言 {span}。要转达的内容：{content}",
    ActionKind.UNMUTE_MEMBER: "成员 {member} 的禁言已到期，请恢复其发言。",
    ActionKind.REMOVE_MEMBER: "请将成员 {member} 移出群聊，并做好说明。",
}
_PERSONAL = frozenset({"id_card", "bank_card", "mobile", "email"})


class How(StrEnum):
    """How a group's channel can carry out an action."""

    NATIVE = "native"
    STAFF_TASK = "staff_task"
    UNSUPPORTED = "unsupported"


class Step(StrEnum):
    """What to do about an action that is still open when its time comes."""

    REPEAT = "repeat"
    REMIND = "remind"
    ESCALATE = "escalate"
    HAND_OVER = "hand_over"
    GIVE_UP = "give_up"


# What happens when, counted from the request: the channel is asked again before a person is; a person is reminded,
# then somebody above is told, before the action is given up.
_STEPS: Mapping[How, tuple[tuple[timedelta, Step], ...]] = {
    How.NATIVE: (
        (timedelta(minutes=5), Step.REPEAT),
        (timedelta(minutes=15), Step.REPEAT),
        (timedelta(minutes=30), Step.HAND_OVER),
    ),
    How.STAFF_TASK: (
        (timedelta(minutes=30), Step.REMIND),
        (timedelta(minutes=60), Step.ESCALATE),
        (timedelta(minutes=120), Step.GIVE_UP),
    ),
}


@dataclass(frozen=True, slots=True)
class Offence:
    """What a member did, as far as the words to them need it."""

    group_id: str
    member_id: str
    message_id: str
    category: str
    display_name: str
    at: datetime


def deletion(offence: Offence, action_id: str) -> Action:
    """Take the message out of the group."""
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.DELETE_MESSAGE,
        target=ActionTarget(member_id=offence.member_id, message_id=offence.message_id),
        reason=offence.category,
        requested_by=REQUESTED_BY,
        deadline=offence.at + _DEADLINE,
    )


def caution(offence: Offence, action_id: str) -> Action:
    """Tell a member in private to protect their own data: no offence, and no sanction."""
    name = CATEGORY_NAMES.get(offence.category, offence.category)
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.SEND_PRIVATE,
        target=ActionTarget(member_id=offence.member_id),
        content=f"为保护您的信息安全，请勿在群内发送{name}，相关内容已提请撤回。如需办理业务，请私信您的客户经理。",
        reason=offence.category,
        requested_by=REQUESTED_BY,
        deadline=offence.at + _DEADLINE,
    )


def notice_to_staff(offence: Offence, action_id: str) -> Action:
    """Tell a staff member how they should have put it: staff are never sanctioned by themselves."""
    name = CATEGORY_NAMES.get(offence.category, offence.category)
    return Action(
        action_id=action_id,
        group_id=offence.group_id,
        kind=ActionKind.NOTIFY_STAFF,
        target=ActionTarget(message_id=offence.message_id),
        assignee=offence.member_id,
        content=f"您在群内的发言涉及“{name}”，请及时更正，并注意服务规范。",
        reason=offence.category,
        requested_by=REQUESTED_BY,
        deadline=offence.at + _DEADLINE,
    )


def sanction(offence: Offence, climb: Climb, owner: str | None, action_id: str) -> Action:
    """Carry out a rung of the ladder: warn in the group, mute, or ask a staff member to decide on removal."""
    common = {
        "action_id": action_id,
        "group_id": offence.group_id,
        "reason": offence.category,
        "requested_by": REQUESTED_BY,
        "deadline": offence.at + _DEADLINE,
    }
    name = CATEGORY_NAMES.get(offence.category, offence.category)
    member = ActionTarget(member_id=offence.member_id)
    addressed = f"@{offence.display_name} " if offence.display_name else ""
    if climb.kind is SanctionKind.WARNING:
        text = f"{addressed}您好，您刚才的发言涉及“{name}”，不符合本群群规，请留意。多次违规将被禁言。"
        return Action(kind=ActionKind.SEND_MESSAGE, target=member, content=text, **common)
    if climb.kind is SanctionKind.MUTE and climb.until is not None:
        seconds = int((climb.until - offence.at).total_seconds())
        text = f"{addressed}因多次违反群规（{name}），禁言 {_span(seconds)}。如有异议，请私信群主申诉。"
        return Action(
            kind=ActionKind.MUTE_MEMBER, target=member, content=text, duration_seconds=max(seconds, 1), **common
        )
    text = f"成员 {offence.display_name or offence.member_id} 多次违反群规（{name}），建议移出群聊，请核实后处理。"
    return Action(kind=ActionKind.NOTIFY_STAFF, target=member, assignee=owner, content=text, **common)


def release(group_id: str, member_id: str, action_id: str, at: datetime) -> Action:
    """End a mute."""
    return Action(
        action_id=action_id,
        group_id=group_id,
        kind=ActionKind.UNMUTE_MEMBER,
        target=ActionTarget(member_id=member_id),
        reason="禁言到期",
        requested_by=REQUESTED_BY,
        deadline=at + _DEADLINE,
    )


def how_of(action: Action, capabilities: Capabilities) -> How:
    """How the group's channel carries out the action.

    A message that a person has to confirm before it is sent is still the channel's own doing; what a person has to
    do in the client is a task.
    """
    needed = _NEEDS.get(action.kind)
    support = Support.NATIVE if needed is None else getattr(capabilities, needed)
    if support is Support.NONE:
        return How.UNSUPPORTED
    if support is Support.STAFF_TASK and needed != "send":
        return How.STAFF_TASK
    return How.NATIVE


def as_task(action: Action, assignee: str | None, action_id: str) -> Action:
    """The action as something a staff member is asked to do."""
    words = _TASKS.get(action.kind, "{content}").format(
        member=action.target.member_id or "",
        message=action.target.message_id or "",
        span=_span(action.duration_seconds or 0),
        content=action.content,
    )
    change = {
        "action_id": action_id,
        "kind": ActionKind.NOTIFY_STAFF,
        "task": action.kind,
        "assignee": assignee,
        "content": words,
    }
    return action.model_copy(update=change)


def nudge(action: Action, assignee: str | None, words: str, action_id: str) -> Action:
    """Remind somebody of an open action, or tell somebody else of it."""
    change = {"action_id": action_id, "kind": ActionKind.NOTIFY_STAFF, "task": None, "assignee": assignee}
    return action.model_copy(update={**change, "content": f"{words}{action.content}"})


def step_after(how: How, taken: int) -> tuple[timedelta, Step] | None:
    """When, counted from the request, what is to be done about an open action, after `taken` steps."""
    steps = _STEPS.get(how, ())
    return steps[taken] if taken < len(steps) else None


def is_personal(category: str) -> bool:
    """Whether the category is about the member's own data."""
    return category in _PERSONAL


def _span(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts: Iterator[str] = (f"{number} {unit}" for number, unit in ((hours, "小时"), (minutes, "分钟")) if number)
    return " ".join(parts) or "1 分钟"

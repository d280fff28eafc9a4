"""How an action is carried out where the channel can do it, where a person has to, and what if nothing happens."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from huiqun.contracts.channel import Action, ActionKind, Support, WithdrawnAction
from huiqun.contracts.channel.mentions import AddressedText, Mention, Part, compose, join
from huiqun.contracts.fields import DEFAULT_CHANNEL
from moderation.enforcement.model.actions import span_in_words
from moderation.policies.model import GroupSettings

# Which capability of a group an action needs. Telling a staff member something is always possible.
_NEEDS: Mapping[ActionKind, str] = {
    ActionKind.SEND_MESSAGE: "send",
    ActionKind.SEND_PRIVATE: "send_private",
    ActionKind.DELETE_MESSAGE: "delete",
    ActionKind.MUTE_MEMBER: "mute",
    ActionKind.UNMUTE_MEMBER: "mute",
    ActionKind.REMOVE_MEMBER: "remove",
}
_WITHOUT_A_GROUP: Final = frozenset({ActionKind.SEND_PRIVATE, ActionKind.NOTIFY_STAFF, ActionKind.TRANSFER_CUSTOMER})
_SENDING: Final = frozenset({"send", "send_private"})
_TASKS: Mapping[ActionKind, str] = {
    ActionKind.DELETE_MESSAGE: "请在群内撤回或删除成员 {member} 的违规消息（消息编号 {message}）。",
    ActionKind.MUTE_MEMBER: "请提醒成员 {member} 暂停发言 {span}。要转达的内容：{content}",
    ActionKind.UNMUTE_MEMBER: "成员 {member} 的禁言已结束（{reason}），请恢复其发言。",
    ActionKind.REMOVE_MEMBER: "请将成员 {member} 移出群聊，并做好说明。",
}


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


#: A person who was asked is reminded after this time.
FIRST_REMINDER: Final = _STEPS[How.STAFF_TASK][0][0]


def how_of(action: Action, group: GroupSettings) -> How:
    """How the group's channel carries out the action; in a group that is no more it can only tell people something.

    A message that a person has to confirm before it is sent is still the channel's own doing; what a person has to
    do in the client is a task.
    """
    needed = _NEEDS.get(action.kind)
    if group.dismissed and action.kind not in _WITHOUT_A_GROUP:
        return How.UNSUPPORTED
    support = Support.NATIVE if needed is None else group.capabilities.support(needed)
    if support is Support.NONE:
        return How.UNSUPPORTED
    if support is Support.STAFF_TASK and needed not in _SENDING:
        return How.STAFF_TASK
    return How.NATIVE


def as_task(action: Action, assignee: str | None, action_id: str) -> Action:
    """The action as something a staff member is asked to do."""
    text = _task_in_words(action)
    change = {
        "action_id": action_id,
        "kind": ActionKind.NOTIFY_STAFF,
        "task": action.kind,
        "assignee": assignee,
        "content": text.content,
        "members": text.members,
    }
    return action.model_copy(update=change)


def nudge(action: Action, assignee: str | None, words: Part, action_id: str) -> Action:
    """Remind somebody of an open action, or tell somebody else of it."""
    text = join("", [words, _task_in_words(action)])
    change = {
        "action_id": action_id,
        "kind": ActionKind.NOTIFY_STAFF,
        "task": None,
        "assignee": assignee,
        "content": text.content,
        "members": text.members,
    }
    return action.model_copy(update=change)


def _task_in_words(action: Action) -> AddressedText:
    return compose(
        _TASKS.get(action.kind, "{content}"),
        member=Mention(action.target.member_id) if action.target.member_id else "",
        message=action.target.message_id or "",
        span=span_in_words(action.duration_seconds or 0),
        content=AddressedText(action.content, action.members),
        reason=action.reason,
    )


def again(action: Action, now: datetime) -> Action:
    """The action as it is asked for once more: of a mute, what is left of it."""
    if action.duration_seconds is None or action.deadline is None:
        return action
    left = max(int((action.deadline - now).total_seconds()), 1)
    return action.model_copy(update={"duration_seconds": min(action.duration_seconds, left)})


def withdrawal(action_id: str, group_id: str | None, channel: str | None, reason: str) -> WithdrawnAction:
    """Tell the channel that an action is not wanted any more; one that was asked for long ago names no channel."""
    return WithdrawnAction(action_id=action_id, channel=channel or DEFAULT_CHANNEL, group_id=group_id, reason=reason)


def is_too_late(action: Action, now: datetime) -> bool:
    """Whether the action would do no good any more."""
    return action.deadline is not None and action.deadline <= now


def step_after(how: How, taken: int) -> tuple[timedelta, Step] | None:
    """When, counted from the request, what is to be done about an open action, after `taken` steps."""
    steps = _STEPS.get(how, ())
    return steps[taken] if taken < len(steps) else None

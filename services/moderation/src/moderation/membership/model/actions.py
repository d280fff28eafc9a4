"""What the channel is asked to do for members."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from huiqun.contracts.channel import Action, ActionKind, ActionTarget
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.runtime.ids import new_id

REQUESTED_BY = "moderation"
_DEADLINE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Letter:
    """Words for a group, for one of its members, or for one of its staff."""

    group_id: str
    text: AddressedText
    reason: str
    member_id: str | None = None


def to_group(letter: Letter, now: datetime) -> Action:
    """Post it in the group; a member it is about may be addressed."""
    return _action(ActionKind.SEND_MESSAGE, letter, now)


def in_private(letter: Letter, now: datetime) -> Action:
    """Send it to the member alone."""
    return _action(ActionKind.SEND_PRIVATE, letter, now)


def to_staff(letter: Letter, now: datetime) -> Action:
    """Bring it to the attention of a staff member; without one, of whoever looks after the group."""
    action = _action(ActionKind.NOTIFY_STAFF, letter, now)
    return action.model_copy(update={"target": ActionTarget(), "assignee": letter.member_id})


def _action(kind: ActionKind, letter: Letter, now: datetime) -> Action:
    return Action(
        action_id=new_id(),
        group_id=letter.group_id,
        kind=kind,
        target=ActionTarget(member_id=letter.member_id),
        content=letter.text.content,
        members=letter.text.members,
        reason=letter.reason,
        requested_by=REQUESTED_BY,
        deadline=now + _DEADLINE,
    )

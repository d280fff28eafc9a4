"""What the channel is asked to say: in a group, to a member in private, or to a staff member as a task."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from huiqun.contracts.channel import Action, ActionKind, ActionTarget
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.runtime.ids import new_id

REQUESTED_BY: Final = "moderation"
#: How long what is asked of the channel is worth doing.
ACTION_LIFETIME: Final = timedelta(hours=2)
#: The same of what is said about belonging to a group: greetings, rules, consent, who stands on the roster.
MEMBERSHIP_LIFETIME: Final = timedelta(hours=12)


class ActionTerms(NamedTuple):
    """From when on an action is worth doing, why it is asked for, and how long it stays worth doing."""

    at: datetime
    reason: str = ""
    lifetime: timedelta = ACTION_LIFETIME

    @property
    def deadline(self) -> datetime:
        """When the action expires that was not carried out."""
        return self.at + self.lifetime


def group_message(group_id: str, text: AddressedText, terms: ActionTerms, member_id: str | None = None) -> Action:
    """Say something in a group; `member_id` is whom it is about, if it is about one of its members."""
    target = ActionTarget(member_id=member_id)
    return Action(kind=ActionKind.SEND_MESSAGE, target=target, **_request_fields(group_id, text, terms))


def private_message(group_id: str, member_id: str, text: AddressedText, terms: ActionTerms) -> Action:
    """Tell a member of a group something in private."""
    target = ActionTarget(member_id=member_id)
    return Action(kind=ActionKind.SEND_PRIVATE, target=target, **_request_fields(group_id, text, terms))


def staff_task(group_id: str, staff_id: str | None, text: AddressedText, terms: ActionTerms) -> Action:
    """Ask a staff member for something; without one, whoever has the group's tasks in the channel."""
    return Action(kind=ActionKind.NOTIFY_STAFF, assignee=staff_id, **_request_fields(group_id, text, terms))


def _request_fields(group_id: str, text: AddressedText, terms: ActionTerms) -> dict[str, Any]:
    return {
        "action_id": new_id(),
        "group_id": group_id,
        "content": text.content,
        "members": text.members,
        "reason": terms.reason,
        "requested_by": REQUESTED_BY,
        "deadline": terms.deadline,
    }

"""Actions asked of the channel, and the receipts that say what became of them."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from huiqun.contracts.channel.messages import Text
from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.topics import CHANNEL_ACTIONS, CHANNEL_RECEIPTS
from huiqun.privacy.text import MaskedText

Remark = Annotated[str, MaskedText(max_length=1_000)]

#: The most members whom the text of an action may name.
MAX_MEMBERS: Final = 100


class ActionKind(StrEnum):
    """What a channel can be asked to do."""

    SEND_MESSAGE = "send_message"
    SEND_PRIVATE = "send_private"
    DELETE_MESSAGE = "delete_message"
    MUTE_MEMBER = "mute_member"
    UNMUTE_MEMBER = "unmute_member"
    REMOVE_MEMBER = "remove_member"
    NOTIFY_STAFF = "notify_staff"


class ActionTarget(Payload):
    """Whom or what an action is about."""

    member_id: Id | None = None
    message_id: Id | None = None


class Action(Payload):
    """Something the channel is asked to do, once."""

    action_id: Id = Field(description="The idempotency key: a channel carries out each id once")
    group_id: Id
    kind: ActionKind
    target: ActionTarget = ActionTarget()
    task: ActionKind | None = Field(default=None, description="For notify_staff: what the person is asked to do")
    assignee: Id | None = Field(default=None, description="For notify_staff: who is asked to do it")
    content: Text = Field(
        default="",
        description="What to send, or what the staff member is asked to do; {member:ID} names the member of this id by "
        "a mention or the name, which the channel knows, if `members` lists the id, else it is sent as written",
        examples=["{member:member-1}您好，请留意群规。"],
    )
    members: Annotated[tuple[Id, ...], Field(max_length=MAX_MEMBERS)] = Field(
        default=(), description="Whom the content names", examples=[["member-1"]]
    )
    duration_seconds: int | None = Field(default=None, ge=1, le=31_536_000, description="How long a mute lasts")
    reason: Remark = ""
    requested_by: str = Field(max_length=128, examples=["moderation"])
    not_before: Instant | None = None
    deadline: Instant | None = None


class ActionRequested(Event):
    """A service asks the channel to do something."""

    topic: ClassVar = CHANNEL_ACTIONS
    type: Literal["channel.action.requested"] = "channel.action.requested"
    data: Action


class Receipt(Payload):
    """What became of an action."""

    action_id: Id
    group_id: Id
    assignee: Id | None = Field(default=None, description="The staff member who has been asked")
    detail: Remark = ""


class ActionCompleted(Event):
    """The action was carried out."""

    topic: ClassVar = CHANNEL_RECEIPTS
    default_source: ClassVar = "channel"
    type: Literal["channel.action.completed"] = "channel.action.completed"
    data: Receipt


class ActionFailed(Event):
    """The action could not be carried out."""

    topic: ClassVar = CHANNEL_RECEIPTS
    default_source: ClassVar = "channel"
    type: Literal["channel.action.failed"] = "channel.action.failed"
    data: Receipt


class ActionUnsupported(Event):
    """The channel has no means for this kind of action."""

    topic: ClassVar = CHANNEL_RECEIPTS
    default_source: ClassVar = "channel"
    type: Literal["channel.action.unsupported"] = "channel.action.unsupported"
    data: Receipt


class ActionAssigned(Event):
    """A person has been asked to carry out the action."""

    topic: ClassVar = CHANNEL_RECEIPTS
    default_source: ClassVar = "channel"
    type: Literal["channel.action.assigned"] = "channel.action.assigned"
    data: Receipt


class ActionExpired(Event):
    """The action's deadline passed before it was carried out."""

    topic: ClassVar = CHANNEL_RECEIPTS
    default_source: ClassVar = "channel"
    type: Literal["channel.action.expired"] = "channel.action.expired"
    data: Receipt

"""Actions asked of the channel, and the receipts that say what became of them."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from huiqun.contracts.channel.messages import Text
from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource
from huiqun.contracts.topics import CHANNEL_ACTIONS, CHANNEL_RECEIPTS
from huiqun.privacy.text import MaskedText

Remark = Annotated[str, MaskedText(max_length=1_000)]
ActionId = Annotated[
    Id, Field(description="The idempotency key: a channel carries out each id once", examples=["action-1"])
]
ActionGroup = Annotated[
    Id | None,
    Field(description="The group that the action is about; none where a customer is transferred", examples=["group-1"]),
]

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
    TRANSFER_GROUP = "transfer_group"
    TRANSFER_CUSTOMER = "transfer_customer"


class ActionPurpose(StrEnum):
    """What somebody's attention is asked for; only service and sanctions need no grant."""

    SERVICE = "service"
    PROMOTION = "promotion"
    CARE = "care"
    SURVEY = "survey"
    SANCTION = "sanction"


class ActionTarget(Payload):
    """Whom or what an action is about."""

    member_id: Id | None = Field(default=None, description="The member that the action is about, by member id")
    message_id: Id | None = Field(default=None, description="The message that the action is about, by its id")


class Action(Payload):
    """Something the channel is asked to do, once."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    action_id: ActionId
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: ActionGroup = None
    kind: ActionKind = Field(description="What the channel is asked to do")
    target: ActionTarget = Field(default=ActionTarget(), description="Whom or what the action is about")
    from_staff: Id | None = Field(
        default=None, alias="from", description="For a transfer: the staff member who hands over", examples=["staff-1"]
    )
    to_staff: Id | None = Field(
        default=None, alias="to", description="For a transfer: the staff member who takes over", examples=["staff-1"]
    )
    task: ActionKind | None = Field(default=None, description="For notify_staff: what the person is asked to do")
    assignee: Id | None = Field(
        default=None, description="For notify_staff: who is asked to do it", examples=["staff-1"]
    )
    content: Text = Field(
        default="",
        description="What to send, or what the staff member is asked to do; {member:ID} names the member of this id by "
        "a mention or the name, which the channel knows, if `members` lists the id, else it is sent as written",
        examples=["{member:member-1}您好，请留意群规。"],
    )
    members: Annotated[tuple[Id, ...], Field(max_length=MAX_MEMBERS)] = Field(
        default=(), description="Whom the content names, by member id", examples=[["member-1"]]
    )
    duration_seconds: int | None = Field(
        default=None, ge=1, le=31_536_000, description="How long a mute lasts, in seconds"
    )
    reason: Remark = Field(default="", description="Why it is asked, for people and records", examples=["ads"])
    purpose: ActionPurpose = Field(
        default=ActionPurpose.SERVICE, description="What somebody's attention is asked for; budgets go by it"
    )
    batch_id: Id | None = Field(
        default=None,
        description="The actions of one batch and sender may be joined into one mass message; each has its own receipt",
    )
    requested_by: str = Field(
        max_length=128, description="The service that asks, or the person who approved it", examples=["moderation"]
    )
    not_before: Instant | None = Field(default=None, description="When the action may be carried out at the earliest")
    deadline: Instant | None = Field(default=None, description="When the action expires that was not carried out")

    @property
    def record_key(self) -> str:
        """What the record is keyed by: the group, or else the target, or else the action itself."""
        return self.group_id or self.target.member_id or self.action_id


class ActionRequested(Event):
    """A service asks the channel to do something."""

    topic: ClassVar = CHANNEL_ACTIONS
    type: Literal["channel.action.requested"] = "channel.action.requested"
    data: Action


class WithdrawnAction(Payload):
    """An action that is not wanted any more, whatever has been done about it."""

    action_id: ActionId
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: ActionGroup = None
    reason: Remark = Field(default="", description="Why the action is not wanted any more", examples=["reversed"])


class ActionWithdrawn(Event):
    """A service takes back what it has asked for; the key is that of the request, so it comes after it."""

    topic: ClassVar = CHANNEL_ACTIONS
    type: Literal["channel.action.withdrawn"] = "channel.action.withdrawn"
    data: WithdrawnAction


class FailureCode(StrEnum):
    """Why an action failed, as far as whoever asked may act on it."""

    CAP = "cap"
    REFUSED = "refused"
    NOT_FRIEND = "not_friend"
    LIMIT = "limit"
    OTHER = "other"


class CompletionStage(StrEnum):
    """How far a completed action has come."""

    CONFIRMED = "confirmed"
    DELIVERED = "delivered"


class Receipt(Payload):
    """What became of an action."""

    action_id: ActionId
    group_id: ActionGroup = None
    assignee: Id | None = Field(
        default=None, description="With `.assigned`: the staff member who has been asked", examples=["staff-1"]
    )
    code: FailureCode | None = Field(
        default=None,
        description="With `.failed`: cap (of messages to the receiver), refused, not_friend, limit (of calls), other",
    )
    stage: CompletionStage | None = Field(
        default=None,
        description="With `.completed`: confirmed is not final, `delivered` or `.failed` follows; none is delivered",
    )
    detail: Remark = Field(default="", description="What people should know of the outcome", examples=["群主已处理"])


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

"""Members and groups: who came, who left, what a group is."""

from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import GroupId, MemberId
from huiqun.contracts.topics import CHANNEL_MEMBERS
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.privacy.text import MaskedText

Name = Annotated[str, MaskedText(max_length=256)]
ExternalIds = Annotated[
    dict[str, PlatformId],
    Field(max_length=20, description="Ids of the person elsewhere, by kind", examples=[{"unionid": "ozynqsulJFCZ2z"}]),
]
DisplayName = Annotated[PersonName, Field(description="What the member calls themselves", examples=["王女士"])]
#: The most members in one page of a listing.
LONGEST_PAGE = 1_000
_NO_NAME = PersonName()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise PydanticCustomError("unknown_zone", "no IANA time zone of this name")
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Role(StrEnum):
    """What a member is in a group."""

    CUSTOMER = "customer"
    STAFF = "staff"
    BOT = "bot"


MemberRole = Annotated[Role, Field(description="What the member is in the group")]


class Member(Payload):
    """A member of a group."""

    group_id: GroupId
    member_id: MemberId
    role: MemberRole = Role.CUSTOMER
    display_name: DisplayName = _NO_NAME
    invited_by: Id | None = Field(default=None, description="Who invited the member, by member id, if anybody did")
    scene: Annotated[str, MaskedText(max_length=64)] | None = Field(
        default=None, description="How the member came: invited, link, qr, ...", examples=["qr"]
    )
    state: Annotated[str, MaskedText(max_length=128)] | None = Field(
        default=None,
        description="What the code or link by which the member came was made with",
        examples=["branch-021"],
    )
    external_ids: ExternalIds = Field(default_factory=dict)


class LeaveReason(StrEnum):
    """Why a member is gone."""

    LEFT = "left"
    REMOVED = "removed"


class Departure(Member):
    """A member who is gone."""

    reason: LeaveReason = Field(default=LeaveReason.LEFT, description="Whether the member left or was removed")


class MemberJoined(Event):
    """A member came into a group."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.member.joined"] = "channel.member.joined"
    data: Member


class MemberLeft(Event):
    """A member left a group or was removed."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.member.left"] = "channel.member.left"
    data: Departure


class MemberUpdated(Event):
    """A member's name or role changed."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.member.updated"] = "channel.member.updated"
    data: Member


class Purpose(StrEnum):
    """What a group is for."""

    AFTER_SALES = "after_sales"
    DISCUSSION = "discussion"
    MEMBERS = "members"
    BENEFITS = "benefits"
    OTHER = "other"


class GroupKind(StrEnum):
    """Who is in a group: many, or one customer and one member of staff."""

    GROUP = "group"
    PRIVATE = "private"


class Support(StrEnum):
    """How a channel carries out a kind of action."""

    NATIVE = "native"
    STAFF_TASK = "staff_task"
    NONE = "none"


class Capabilities(Payload):
    """What the channel can do itself in a group; a WeCom customer group can do little natively."""

    send: Support = Field(default=Support.STAFF_TASK, description="How a message to the group is sent")
    send_private: Support | None = Field(
        default=None, description="How a message to one member is sent; where it is not said, as one to the group"
    )
    mute: Support = Field(default=Support.NONE, description="How a member is muted and given their voice back")
    remove: Support = Field(default=Support.STAFF_TASK, description="How a member is taken out of the group")
    delete: Support = Field(default=Support.NONE, description="How somebody else's message is deleted")

    def support_of(self, capability: str) -> Support:
        """How what is named by one of these fields is carried out."""
        if capability == "send_private" and self.send_private is None:
            return self.send
        support: Support = getattr(self, capability)
        return support


class Group(Payload):
    """A group."""

    group_id: GroupId
    kind: GroupKind = Field(
        default=GroupKind.GROUP, description="private: the conversation of one customer with one member of staff"
    )
    name: Name = Field(default="", description="What the group is called", examples=["会员福利群"])
    owner: Id | None = Field(
        default=None, description="The staff member who owns the group, by member id", examples=["staff-1"]
    )
    purpose: Purpose = Field(default=Purpose.OTHER, description="What the group is for")
    timezone: TimeZone = Field(
        default="Asia/Shanghai", description="The group's time zone, an IANA name", examples=["Asia/Shanghai"]
    )
    tags: tuple[Annotated[str, MaskedText(max_length=64)], ...] = Field(
        default=(), max_length=100, description="Words by which groups are told apart", examples=[["vip"]]
    )
    capabilities: Capabilities = Field(
        default=Capabilities(), description="What the channel can do itself in the group, by kind of action"
    )


class GroupDismissal(Payload):
    """A group that is no more."""

    group_id: GroupId


class ListedMember(Payload):
    """A member of a group, as a listing shows them; who reads it takes nobody for having come after it was taken."""

    happened: ClassVar[tuple[str, ...]] = ("joined_at",)

    member_id: MemberId
    role: MemberRole = Role.CUSTOMER
    display_name: DisplayName = _NO_NAME
    joined_at: Instant | None = Field(default=None, description="When the member last came, if the platform knows")
    external_ids: ExternalIds = Field(default_factory=dict)


class GroupListing(Payload):
    """A page of who is in a group. Who stands on no page of a listing that has come whole has left."""

    happened: ClassVar[tuple[str, ...]] = ("as_of",)

    group_id: GroupId
    members: tuple[ListedMember, ...] = Field(max_length=LONGEST_PAGE, description="Who is in the group, on this page")
    as_of: Instant = Field(description="When the listing was taken; the same on all of its pages")
    page: int = Field(default=1, ge=1, le=1_000, description="Which page of the listing this is, from 1")
    pages: int = Field(default=1, ge=1, le=1_000, description="How many pages the listing has")
    complete: bool = Field(
        default=True, description="False where somebody of this page may be missing: then nobody is taken to have left"
    )


class GroupCreated(Event):
    """A group was created."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.group.created"] = "channel.group.created"
    data: Group


class GroupUpdated(Event):
    """A group's name, owner, purpose or capabilities changed."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.group.updated"] = "channel.group.updated"
    data: Group


class GroupDismissed(Event):
    """A group was dissolved."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.group.dismissed"] = "channel.group.dismissed"
    data: GroupDismissal


class GroupListed(Event):
    """Who is in a group now, page by page: what was lost of comings and goings is made good by it."""

    topic: ClassVar = CHANNEL_MEMBERS
    default_source: ClassVar = "channel"
    type: Literal["channel.group.listed"] = "channel.group.listed"
    data: GroupListing

"""Members and groups: who came, who left, what a group is."""

from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from huiqun.contracts.envelope import Event, Id, Payload
from huiqun.contracts.topics import CHANNEL_MEMBERS
from huiqun.privacy.names import PersonName, PlatformId
from huiqun.privacy.text import MaskedText

Name = Annotated[str, MaskedText(max_length=256)]
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


class Member(Payload):
    """A member of a group."""

    group_id: Id
    member_id: Id
    role: Role = Role.CUSTOMER
    display_name: PersonName = _NO_NAME
    invited_by: Id | None = None
    scene: Annotated[str, MaskedText(max_length=64)] | None = Field(
        default=None, description="How they came: invited, link, qr, ..."
    )
    external_ids: dict[str, PlatformId] = Field(
        default_factory=dict, max_length=20, examples=[{"unionid": "ozynqsulJFCZ2z"}]
    )


class LeaveReason(StrEnum):
    """Why a member is gone."""

    LEFT = "left"
    REMOVED = "removed"


class Departure(Member):
    """A member who is gone."""

    reason: LeaveReason = LeaveReason.LEFT


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


class Support(StrEnum):
    """How a channel carries out a kind of action."""

    NATIVE = "native"
    STAFF_TASK = "staff_task"
    NONE = "none"


class Capabilities(Payload):
    """What the channel can do itself in a group; a WeCom customer group can do little natively."""

    send: Support = Support.STAFF_TASK
    mute: Support = Support.NONE
    remove: Support = Support.STAFF_TASK
    delete: Support = Support.NONE


class Group(Payload):
    """A group."""

    group_id: Id
    name: Name = ""
    owner: Id | None = Field(default=None, description="The staff member who owns the group")
    purpose: Purpose = Purpose.OTHER
    timezone: TimeZone = Field(default="Asia/Shanghai", description="An IANA name", examples=["Asia/Shanghai"])
    tags: tuple[Annotated[str, MaskedText(max_length=64)], ...] = Field(default=(), max_length=100)
    capabilities: Capabilities = Capabilities()


class GroupDismissal(Payload):
    """A group that is no more."""

    group_id: Id


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

"""Sanctions on members, and their ends."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId, MemberId
from huiqun.contracts.moderation.messages import Category
from huiqun.contracts.topics import MODERATION_DECISIONS

SanctionId = Annotated[Id, Field(description="The sanction; the action that carries it out has the same id")]


class SanctionKind(StrEnum):
    """The rungs of the ladder."""

    WARNING = "warning"
    MUTE = "mute"
    REMOVAL_PROPOSED = "removal_proposed"


class Sanction(Payload):
    """A sanction on a member."""

    sanction_id: SanctionId
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    member_id: MemberId
    kind: SanctionKind = Field(description="The rung of the ladder that was reached")
    category: Category
    rung: int = Field(ge=1, description="Which rung of the ladder it is, from 1")
    message_id: Id | None = Field(default=None, description="The message with the offence, by its id in the group")
    until: Instant | None = Field(default=None, description="When a mute ends; none where nothing ends")


class MemberSanctioned(Event):
    """A member was warned, muted, or proposed for removal."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.member.sanctioned"] = "moderation.member.sanctioned"
    data: Sanction


class LiftedSanction(Payload):
    """A sanction that ended."""

    sanction_id: SanctionId
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    member_id: MemberId
    cause: Literal["expired", "reversed"] = Field(description="Whether its time is over, or a person took it back")


class SanctionLifted(Event):
    """A sanction expired or was taken back."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.sanction.lifted"] = "moderation.sanction.lifted"
    data: LiftedSanction

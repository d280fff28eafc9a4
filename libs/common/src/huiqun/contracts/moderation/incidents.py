"""Incidents, and the modes of groups."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId
from huiqun.contracts.moderation.messages import RuleName
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.privacy.text import MaskedText


class GroupMode(StrEnum):
    """Who may write in a group, from everybody to staff alone."""

    NORMAL = "normal"
    QUIET = "quiet"
    LOCKDOWN = "lockdown"


class OpenedIncident(Payload):
    """A crisis, or the drill of one, in one of the groups it is about."""

    incident_id: Id = Field(description="The incident, the same in all of its groups")
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    kind: RuleName = Field(description="Kind of incident, by the name of its plan", examples=["leak"])
    title: Annotated[str, MaskedText(max_length=100)] = Field(
        description="What the incident is called among people", examples=["客户信息泄露"]
    )
    drill: bool = Field(description="Whether it is a drill: nothing of it happened, nothing reaches the channel")
    mode: GroupMode = Field(default=GroupMode.NORMAL, description="The mode that the incident asks of the group")
    plan_version: int = Field(ge=0, description="Which version of its plan the incident follows")
    opened_by: str = Field(
        max_length=300, description="Who opened the incident, by principal id", examples=["key/operator-1"]
    )
    opened_at: Instant = Field(description="When the incident was opened")


class IncidentOpened(Event):
    """An incident was opened; one event for each of its groups."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.incident.opened"] = "moderation.incident.opened"
    data: OpenedIncident


class ClosedIncident(Payload):
    """A crisis that is over, or a drill, in one of its groups."""

    incident_id: Id = Field(description="The incident, the same in all of its groups")
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    kind: RuleName = Field(description="Kind of incident, by the name of its plan", examples=["leak"])
    drill: bool = Field(description="Whether it was a drill, of which nothing happened")
    score: int = Field(ge=0, le=100, description="How well the steps kept to their times, from 0 to 100")
    closed_by: str = Field(
        max_length=300, description="Who closed the incident, by principal id", examples=["key/operator-1"]
    )
    opened_at: Instant = Field(description="When the incident was opened")
    closed_at: Instant = Field(description="When the incident was closed")


class IncidentClosed(Event):
    """An incident was closed, with a review; one event for each of its groups."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.incident.closed"] = "moderation.incident.closed"
    data: ClosedIncident


class ChangedMode(Payload):
    """Who may write in a group from now on."""

    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    mode: GroupMode = Field(description="The mode that the group is in now")
    before: GroupMode = Field(description="The mode that the group was in before")
    until: Instant | None = Field(
        default=None, description="When the mode ends if nobody changes it; none for the normal one"
    )


class ModeChanged(Event):
    """A group went into another mode, or back to the normal one."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.mode.changed"] = "moderation.mode.changed"
    data: ChangedMode

"""What the events of engagement have in common; all of them are planned."""

from typing import ClassVar

from huiqun.contracts.envelope import Event, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId, MemberId
from huiqun.contracts.topics import ENGAGEMENT_EVENTS


class EngagementEvent(Event):
    """An event of engagement, which nobody sends yet."""

    topic: ClassVar = ENGAGEMENT_EVENTS
    default_source: ClassVar = "huiqun/engagement"
    planned: ClassVar = True


class GroupPayload(Payload):
    """Something of a group."""

    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId


class MemberPayload(GroupPayload):
    """Something of a member, in one of their groups."""

    member_id: MemberId

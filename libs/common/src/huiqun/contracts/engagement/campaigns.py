"""Campaigns, activities, and what members want to be addressed for."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from huiqun.contracts.channel import ActionPurpose
from huiqun.contracts.engagement.event import EngagementEvent, GroupPayload, MemberPayload
from huiqun.contracts.envelope import Id
from huiqun.privacy.text import MaskedText

CampaignId = Annotated[Id, Field(description="The campaign, by its id in engagement")]
Name = Annotated[str, MaskedText(max_length=100)]


class Campaign(GroupPayload):
    """A campaign in one of its groups."""

    campaign_id: CampaignId
    name: Name = Field(default="", description="What operators call the campaign", examples=["周三会员日"])
    purpose: ActionPurpose = Field(description="What the campaign asks attention for")


class MeasuredCampaign(GroupPayload):
    """What a campaign has brought in one of its groups, against those who were left out of it."""

    campaign_id: CampaignId
    reached: int = Field(ge=0, description="How many members the campaign has reached")
    responded: int = Field(ge=0, description="How many of the members reached have responded")
    uplift: float | None = Field(
        default=None,
        description="Response of those reached less that of the control group, as a share",
        examples=[0.04],
    )


class Delivery(GroupPayload):
    """A message that has come to a member, or to a group."""

    member_id: Id | None = Field(default=None, description="Who received it, by member id; none where the group did")
    campaign_id: Id | None = Field(default=None, description="The campaign that the message belongs to, if any")
    action_id: Id = Field(description="The action by which the message was sent")


class Click(MemberPayload):
    """That a member has opened a link that was made for them."""

    link_id: Id = Field(description="The link, by its id in engagement")
    campaign_id: Id | None = Field(default=None, description="The campaign that the link belongs to, if any")


class Attendance(MemberPayload):
    """That a member has taken part in an activity."""

    activity_id: Id = Field(description="The activity, by its id in engagement")


class RegistrationStatus(StrEnum):
    """Where somebody stands on the list of an activity."""

    REGISTERED = "registered"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class Registration(MemberPayload):
    """Where a member stands on the list of an activity."""

    activity_id: Id = Field(description="The activity, by its id in engagement")
    status: RegistrationStatus = Field(description="Where the member stands now")


class Preference(MemberPayload):
    """What a member wants to be addressed for."""

    purpose: ActionPurpose = Field(description="What the member is addressed for")
    allowed: bool = Field(description="Whether the member wants to be addressed for it")


class CampaignLaunched(EngagementEvent):
    """A campaign has begun in a group."""

    type: Literal["engagement.campaign.launched"] = "engagement.campaign.launched"
    data: Campaign


class CampaignCompleted(EngagementEvent):
    """A campaign is over in a group."""

    type: Literal["engagement.campaign.completed"] = "engagement.campaign.completed"
    data: Campaign


class CampaignMeasured(EngagementEvent):
    """What a campaign has brought is known."""

    type: Literal["engagement.campaign.measured"] = "engagement.campaign.measured"
    data: MeasuredCampaign


class MessageDelivered(EngagementEvent):
    """A message of engagement has come to its receiver."""

    type: Literal["engagement.message.delivered"] = "engagement.message.delivered"
    data: Delivery


class LinkClicked(EngagementEvent):
    """A member has opened a link."""

    type: Literal["engagement.link.clicked"] = "engagement.link.clicked"
    data: Click


class AttendanceRecorded(EngagementEvent):
    """A member has taken part in an activity."""

    type: Literal["engagement.attendance.recorded"] = "engagement.attendance.recorded"
    data: Attendance


class RegistrationChanged(EngagementEvent):
    """A member has registered for an activity, or no longer is."""

    type: Literal["engagement.registration.changed"] = "engagement.registration.changed"
    data: Registration


class PreferenceChanged(EngagementEvent):
    """A member wants to be addressed for something, or no longer does."""

    type: Literal["engagement.preference.changed"] = "engagement.preference.changed"
    data: Preference

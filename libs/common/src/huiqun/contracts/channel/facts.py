"""Facts that only the chat platform knows: what staff sent by hand, when they worked, what it has counted."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.topics import CHANNEL_FACTS
from huiqun.privacy.text import ComparedText

StaffId = Annotated[Id, Field(description="The staff member, by their id within the channel", examples=["staff-1"])]
Day = Annotated[date, Field(description="The day that is counted, in the channel's time zone", examples=["2026-11-22"])]
MetricName = Annotated[str, ComparedText(min_length=1, max_length=64)]


class MassMessage(Payload):
    """A mass message that staff have sent by hand; it has used attention like any other."""

    sender: StaffId
    group_ids: tuple[Id, ...] = Field(
        default=(), max_length=10_000, description="The groups that it went to", examples=[["group-1"]]
    )
    member_ids: tuple[Id, ...] = Field(
        default=(), max_length=10_000, description="The members that it went to one by one", examples=[["member-1"]]
    )
    sent_at: Instant = Field(description="When the mass message was sent")


class MassMessageObserved(Event):
    """Staff have sent a mass message by hand, which nobody asked the channel for."""

    topic: ClassVar = CHANNEL_FACTS
    default_source: ClassVar = "channel"
    planned: ClassVar = True
    type: Literal["channel.mass_message.observed"] = "channel.mass_message.observed"
    data: MassMessage


class SignIn(Payload):
    """That a staff member has begun to work in the chat platform's client."""

    staff_id: StaffId
    signed_in_at: Instant = Field(description="When the staff member signed in")


class StaffSignedIn(Event):
    """A staff member signed in, and sees from now on what is assigned to them."""

    topic: ClassVar = CHANNEL_FACTS
    default_source: ClassVar = "channel"
    planned: ClassVar = True
    type: Literal["channel.staff.signed_in"] = "channel.staff.signed_in"
    data: SignIn


class Statistics(Payload):
    """What the platform has counted on a day, of a staff member or of a group."""

    staff_id: Id | None = Field(default=None, description="The staff member that is counted, if one is")
    group_id: Id | None = Field(default=None, description="The group that is counted, if one is")
    date: Day
    metrics: Annotated[dict[MetricName, float], Field(max_length=100)] = Field(
        description="The figures by their platform's names", examples=[{"new_members": 3}]
    )


class StatisticsReported(Event):
    """The platform has reported its figures of a day."""

    topic: ClassVar = CHANNEL_FACTS
    default_source: ClassVar = "channel"
    planned: ClassVar = True
    type: Literal["channel.statistics.reported"] = "channel.statistics.reported"
    data: Statistics

"""Asking for a member's or a group's attention: one place counts, so that the budget is exact over all services."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource
from huiqun.contracts.topics import CONTACT_ANSWERS, CONTACT_REQUESTS

RequestId = Annotated[
    Id, Field(description="The request; the action that spends the grant has the same id", examples=["request-1"])
]


class ContactPurpose(StrEnum):
    """What attention is asked for; service and sanctions need not ask."""

    PROMOTION = "promotion"
    CARE = "care"
    SURVEY = "survey"


class ContactRequest(Payload):
    """A wish to address a member, a group, or a member in a group."""

    request_id: RequestId
    channel: ChannelSource = DEFAULT_CHANNEL
    member_id: Id | None = Field(default=None, description="Who is to be addressed, by member id; none: the group")
    group_id: Id | None = Field(default=None, description="The group to be addressed, or in which the member is")
    purpose: ContactPurpose = Field(description="What attention is asked for")
    priority: int = Field(ge=1, le=9, description="How much it matters, from 1 to 9 for the most urgent")
    not_before: Instant | None = Field(default=None, description="When attention is wanted at the earliest")
    expires: Instant = Field(description="When attention is of no use any more")
    requested_by: str = Field(max_length=128, description="The service that asks", examples=["survey"])


class ContactRequested(Event):
    """A service asks for attention; it speaks only after it was granted."""

    topic: ClassVar = CONTACT_REQUESTS
    planned: ClassVar = True
    type: Literal["contact.requested"] = "contact.requested"
    data: ContactRequest


class ReturnedContact(Payload):
    """A grant that was not used."""

    request_id: RequestId
    reason: Literal["withdrawn", "failed", "expired"] = Field(description="Why the grant was not used")


class ContactReturned(Event):
    """A grant was not used, and counts no longer."""

    topic: ClassVar = CONTACT_REQUESTS
    planned: ClassVar = True
    type: Literal["contact.returned"] = "contact.returned"
    data: ReturnedContact


class GrantedContact(Payload):
    """That attention may be asked for, once."""

    request_id: RequestId
    valid_until: Instant = Field(description="Until when the grant may be used: when the request expires")


class ContactGranted(Event):
    """Attention was granted: the budget is booked until the grant is used, returned or void."""

    topic: ClassVar = CONTACT_ANSWERS
    default_source: ClassVar = "huiqun/engagement"
    planned: ClassVar = True
    type: Literal["contact.granted"] = "contact.granted"
    data: GrantedContact


class RefusalReason(StrEnum):
    """Why attention was refused."""

    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    MEMBER_BUDGET = "member_budget"
    GROUP_BUDGET = "group_budget"
    PLATFORM_CAP = "platform_cap"
    OUTRANKED = "outranked"
    QUIET_HOURS = "quiet_hours"
    SANCTIONED = "sanctioned"
    REMOVAL_PENDING = "removal_pending"


class RefusedContact(Payload):
    """That attention may not be asked for, or not now."""

    request_id: RequestId
    reason: RefusalReason = Field(description="Why attention was refused")
    try_after: Instant | None = Field(default=None, description="When asking again may help; none: it will not")


class ContactRefused(Event):
    """Attention was refused, and nothing may be said."""

    topic: ClassVar = CONTACT_ANSWERS
    default_source: ClassVar = "huiqun/engagement"
    planned: ClassVar = True
    type: Literal["contact.refused"] = "contact.refused"
    data: RefusedContact

"""Requests of people about their data, and what each service says to them."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import MemberRef
from huiqun.contracts.topics import PRIVACY_RECEIPTS, PRIVACY_REQUESTS
from huiqun.privacy.text import MaskedText

RequestId = Annotated[Id, Field(description="The request, by which receipts refer to it", examples=["request-1"])]
PersonId = Annotated[
    Id, Field(description="The person: the customer id, or else the member id", examples=["customer-1"])
]
Remark = Annotated[str, MaskedText(max_length=1_000)]
ServiceId = Annotated[Id, Field(description="The service that answers, by its name", examples=["moderation"])]


class PersonRequest(Payload):
    """Whose data is meant, and who asks."""

    request_id: RequestId
    person_id: PersonId
    customer_id: Id | None = Field(default=None, description="The customer, where crm-sync knows the person as one")
    members: tuple[MemberRef, ...] = Field(default=(), max_length=1_000, description="The accounts that are theirs")
    requested_by: str = Field(max_length=128, description="Who asks, by principal id", examples=["key/privacy-1"])
    ground: Remark = Field(default="", description="Ground for the request", examples=["本人申请"])


class Outcome(StrEnum):
    """What became of data that was to be erased."""

    ERASED = "erased"
    ANONYMISED = "anonymised"
    KEPT = "kept"


class ErasureResult(Payload):
    """What became of one kind of data."""

    what: Remark = Field(description="Name of the data, in words for people", examples=["群聊消息"])
    outcome: Outcome = Field(description="What became of the data")
    ground: Remark | None = Field(
        default=None, description="Why data is kept that was to be erased", examples=["监管要求保存"]
    )
    until: Instant | None = Field(default=None, description="Until when data is kept that was to be erased")


class Erasure(Payload):
    """What a service has done about a request to erase."""

    request_id: RequestId
    person_id: PersonId
    service: ServiceId
    results: tuple[ErasureResult, ...] = Field(max_length=1_000, description="What became of each kind of data")


class Access(Payload):
    """Where the data that a service holds of a person can be fetched, once."""

    request_id: RequestId
    person_id: PersonId
    service: ServiceId
    download: Id = Field(description="A one-time reference to a download, never the data", examples=["download-1"])
    expires_at: Instant = Field(description="Until when the file can be fetched")


class ErasureRequested(Event):
    """A person wants their data to be erased."""

    topic: ClassVar = PRIVACY_REQUESTS
    type: Literal["privacy.erasure.requested"] = "privacy.erasure.requested"
    data: PersonRequest


class AccessRequested(Event):
    """A person wants to see their data."""

    topic: ClassVar = PRIVACY_REQUESTS
    type: Literal["privacy.access.requested"] = "privacy.access.requested"
    data: PersonRequest


class ErasureCompleted(Event):
    """A service has erased what it may."""

    topic: ClassVar = PRIVACY_RECEIPTS
    type: Literal["privacy.erasure.completed"] = "privacy.erasure.completed"
    data: Erasure


class AccessCompleted(Event):
    """A service has made ready what it holds."""

    topic: ClassVar = PRIVACY_RECEIPTS
    type: Literal["privacy.access.completed"] = "privacy.access.completed"
    data: Access

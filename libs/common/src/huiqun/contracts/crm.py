"""Customers: who they are, who looks after them, and what they have agreed to."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import MemberRef
from huiqun.contracts.topics import CRM_EVENTS
from huiqun.privacy.text import ComparedText, MaskedText

CustomerId = Annotated[
    Id, Field(description="The customer, by the id that crm-sync gave them", examples=["customer-1"])
]
Key = Annotated[str, ComparedText(min_length=1, max_length=64)]
Value = Annotated[str, MaskedText(max_length=1_000)]
Remark = Annotated[str, MaskedText(max_length=1_000)]


class CrmEvent(Event):
    """An event of crm-sync, which nobody sends yet."""

    topic: ClassVar = CRM_EVENTS
    default_source: ClassVar = "huiqun/crm-sync"
    planned: ClassVar = True


class ConsentState(StrEnum):
    """What a customer says to being addressed for a purpose."""

    GIVEN = "given"
    REFUSED = "refused"
    NONE = "none"


class Purchase(Payload):
    """Something that a customer has bought or signed."""

    product: Key = Field(description="What was bought, by the product catalogue's name", examples=["deposit-12m"])
    at: Instant = Field(description="When the purchase was made")
    amount: float | None = Field(default=None, ge=0, description="What was paid, in yuan, where it may be shared")


class Customer(Payload):
    """What the other services may know of a customer."""

    customer_id: CustomerId
    members: tuple[MemberRef, ...] = Field(default=(), max_length=1_000, description="The accounts that are theirs")
    fields: Annotated[dict[Key, Value], Field(max_length=200)] = Field(
        default_factory=dict, description="The fields that are declared shareable", examples=[{"tier": "gold"}]
    )
    purchases: tuple[Purchase, ...] = Field(default=(), max_length=1_000, description="What the customer has bought")
    consents: Annotated[dict[Key, ConsentState], Field(max_length=20)] = Field(
        default_factory=dict, description="What the customer says to each purpose", examples=[{"promotion": "given"}]
    )
    accuracy: float = Field(ge=0, le=1, description="Confidence that the accounts are this customer's, from 0 to 1")
    owner: Id | None = Field(
        default=None, description="The staff member who looks after the customer", examples=["staff-1"]
    )


class LinkedIdentity(Payload):
    """That an account is a customer's, or is not."""

    customer_id: CustomerId
    members: tuple[MemberRef, ...] = Field(min_length=1, max_length=1_000, description="The accounts that are meant")
    reason: Remark = Field(default="", description="By what it was recognised, or by whom", examples=["unionid"])


class ChangedOwner(Payload):
    """Who looks after a customer from now on."""

    customer_id: CustomerId
    owner: Id | None = Field(
        default=None, description="The staff member who looks after the customer now", examples=["staff-1"]
    )
    before: Id | None = Field(default=None, description="The staff member who did so before", examples=["staff-1"])


class Staff(Payload):
    """A member of staff as the company's directory has them."""

    staff_id: Id = Field(description="The staff member, by the directory's id")
    department: Value = Field(default="", description="The department that they belong to", examples=["零售部"])
    branch: Value = Field(default="", description="The branch that they work at", examples=["城东支行"])
    superior: Id | None = Field(default=None, description="Whom they report to, by staff id", examples=["staff-1"])
    status: Literal["active", "away", "left"] = Field(description="Whether they work, are away, or have left")


class ChangedConsent(Payload):
    """What a customer says to being addressed for a purpose from now on."""

    customer_id: CustomerId
    purpose: Key = Field(description="What the customer is addressed for", examples=["promotion"])
    state: ConsentState = Field(description="What the customer says to it")


class Conflict(Payload):
    """Two systems that say different things of a customer."""

    customer_id: CustomerId
    conflict_id: Id = Field(description="The conflict, by its id in crm-sync")
    field: Key = Field(description="Which field they disagree on", examples=["tier"])


class FailedSync(Payload):
    """An exchange with another system that did not succeed."""

    system: Id = Field(description="The other system, by its name in the settings", examples=["core-crm"])
    customer_id: Id | None = Field(default=None, description="The customer that was to be exchanged, if one was")
    code: Key = Field(description="Kind of failure", examples=["timeout"])


class Handover(Payload):
    """A customer who was handed from one member of staff to another."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    customer_id: CustomerId
    from_staff: Id = Field(alias="from", description="The staff member who handed over", examples=["staff-1"])
    to_staff: Id = Field(alias="to", description="The staff member who took over", examples=["staff-1"])


class CustomerUpdated(CrmEvent):
    """What may be known of a customer has changed."""

    type: Literal["crm.customer.updated"] = "crm.customer.updated"
    data: Customer


class IdentityLinked(CrmEvent):
    """An account was recognised as a customer's."""

    type: Literal["crm.identity.linked"] = "crm.identity.linked"
    data: LinkedIdentity


class IdentityUnlinked(CrmEvent):
    """An account turned out not to be a customer's."""

    type: Literal["crm.identity.unlinked"] = "crm.identity.unlinked"
    data: LinkedIdentity


class OwnerChanged(CrmEvent):
    """Another member of staff looks after a customer."""

    type: Literal["crm.owner.changed"] = "crm.owner.changed"
    data: ChangedOwner


class StaffChanged(CrmEvent):
    """The company's directory has changed; the subject is the staff member."""

    type: Literal["crm.staff.changed"] = "crm.staff.changed"
    data: Staff


class ConsentChanged(CrmEvent):
    """A customer has given or refused consent."""

    type: Literal["crm.consent.changed"] = "crm.consent.changed"
    data: ChangedConsent


class ConflictOpened(CrmEvent):
    """Two systems disagree about a customer."""

    type: Literal["crm.conflict.opened"] = "crm.conflict.opened"
    data: Conflict


class ConflictResolved(CrmEvent):
    """Two systems agree about a customer again."""

    type: Literal["crm.conflict.resolved"] = "crm.conflict.resolved"
    data: Conflict


class SyncFailed(CrmEvent):
    """An exchange with another system did not succeed; the subject may be the system."""

    type: Literal["crm.sync.failed"] = "crm.sync.failed"
    data: FailedSync


class HandoverCompleted(CrmEvent):
    """A customer was handed over."""

    type: Literal["crm.handover.completed"] = "crm.handover.completed"
    data: Handover

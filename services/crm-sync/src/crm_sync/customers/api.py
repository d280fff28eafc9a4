"""Read the customers that are known from the groups."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from crm_sync.customers import store
from crm_sync.customers.model import Customer, IdKind
from huiqun.audit.reading import ReadsNames
from huiqun.web import Page, Paging, Problem, Router, Store

router = Router("/api/v1/customers", tag="customers", role="operator")

InGroup = Annotated[
    str | None, Query(description="Only customers in this group.", examples=["group-1"], min_length=1, max_length=128)
]
AnyId = Annotated[
    str, Path(description="Any id of the customer, not only the strongest.", examples=["union-1"], max_length=128)
]


class CustomerId(BaseModel):
    """An id that a customer appears under."""

    id: str = Field(description="The id.", examples=["ozynqsulJFCZ2z"])
    kind: IdKind = Field(description="Where it comes from.", examples=["unionid"])


class CustomerView(BaseModel):
    """A person, whatever ids they appear under and however many groups they are in."""

    customer_id: str = Field(description="The strongest id known.", examples=["ozynqsulJFCZ2z"])
    ids: list[CustomerId] = Field(description="Every id known.")
    display_name: str = Field(description="The latest name; empty if none is known.", examples=["王女士"])
    groups: list[str] = Field(description="The groups the customer is in.", examples=[["group-1", "group-2"]])
    first_seen: datetime | None = Field(description="When they first came or wrote.", examples=["2026-11-22T08:00:00Z"])
    last_seen: datetime | None = Field(description="When they last came or wrote.", examples=["2026-11-22T09:00:00Z"])


@router.get("", summary="The customers, by their strongest id")
async def list_customers(
    db: Store, paging: Paging, reading: ReadsNames, group_id: InGroup = None
) -> Page[CustomerView]:
    """All customers, or those who are in one group now. The reading is audited, because it shows names."""
    (after,) = paging.after(str) or ("",)
    found = await store.page(db, group_id, str(after), paging.limit + 1)
    if found:
        await reading.record("customers", group=group_id, customers=min(len(found), paging.limit))
    return paging.page(found, lambda customer: (customer.key,), _shown)


@router.get("/{any_id}", summary="The customer who has an id")
async def read_customer(db: Store, any_id: AnyId, reading: ReadsNames) -> CustomerView:
    """404 when no customer has appeared under the id. The reading is audited, because it shows a name."""
    customer = await store.read(db, any_id)
    if customer is None:
        raise Problem(404, "not-found", "No customer has appeared under this id.")
    await reading.record("customers", member_ids=sorted(member_id for _, member_id in customer.memberships))
    return _shown(customer)


def _shown(customer: Customer) -> CustomerView:
    return CustomerView(
        customer_id=customer.key,
        ids=[CustomerId(id=known, kind=customer.ids[known]) for known in sorted(customer.ids)],
        display_name=customer.display_name,
        groups=customer.groups,
        first_seen=customer.first_seen,
        last_seen=customer.last_seen,
    )

"""Read the customers that are known from the groups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from crm_sync.customers import store
from crm_sync.customers.model import Customer, IdKind
from huiqun.audit.reading import ReadsNames
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember
from huiqun.web import Page, Paging, Problem, ReadDatabase, Router
from huiqun.web.provided import provided

router = Router("/api/v1/customers", tag="customers", role="operator")

InGroup = Annotated[
    str | None, Query(description="Only customers in this group.", examples=["group-1"], min_length=1, max_length=128)
]
AnyId = Annotated[str, Path(description="Any id of the customer.", examples=["ozynqsulJFCZ2z"], max_length=128)]
OfKind = Annotated[IdKind | None, Query(description="The kind of the id; all kinds if it is left out.")]
OfSource = Annotated[
    str | None,
    Query(description="The channel that the id is of; any if it is left out.", examples=["channel"], max_length=256),
]


class CustomerIdView(BaseModel):
    """An id that a customer appears under."""

    id: str = Field(description="Value of the id.", examples=["ozynqsulJFCZ2z"])
    kind: IdKind = Field(description="Kind of the id.", examples=["external_userid"])
    source: str | None = Field(
        description="Channel that the id belongs to; null for one that all channels share.", examples=["channel"]
    )


class CustomerView(BaseModel):
    """A person, whatever ids they appear under and however many groups they are in."""

    customer_id: str = Field(
        description="Id of the customer here, derived from the strongest known id without showing it.",
        examples=["5d41402abc4b2a76b9719d911017c592"],
    )
    ids: list[CustomerIdView] = Field(description="Ids that the customer appears under.")
    display_name: str = Field(description="The latest name; empty if none is known.", examples=["王女士"])
    groups: list[str] = Field(description="The groups the customer is in.", examples=[["group-1", "group-2"]])
    first_seen: datetime | None = Field(
        description="Moment the customer first joined a group or wrote.", examples=["2026-11-22T08:00:00Z"]
    )
    last_seen: datetime | None = Field(
        description="Moment the customer last joined a group or wrote.", examples=["2026-11-22T09:00:00Z"]
    )


class Presenter:
    """Shows customers with what the directory says of them."""

    def __init__(self, db: ReadDatabase, directory: Annotated[Directory, provided(Directory)]) -> None:
        self._db = db
        self._directory = directory

    async def find(self, any_id: str, kind: IdKind | None, source: str | None) -> list[Customer]:
        """Return who has an id of this value: of several, two."""
        return await store.find_customers(self._db, any_id, kind, source, limit=2)

    async def show(self, customers: Sequence[Customer]) -> dict[str, CustomerView]:
        """Return what is shown of customers, by id."""
        memberships = await store.list_memberships(self._db, customers)
        return {each.id: await self._show(each, memberships[each.id]) for each in customers}

    async def _show(self, customer: Customer, memberships: Sequence[DirectoryMember]) -> CustomerView:
        return CustomerView(
            customer_id=customer.id,
            ids=[
                CustomerIdView(id=known.value, kind=known.kind, source=known.source or None) for known in customer.ids
            ],
            display_name=await self._directory.find_display_name(memberships),
            groups=sorted({member.group_id for member in memberships if member.is_present}),
            first_seen=customer.first_seen,
            last_seen=customer.last_seen,
        )


Presenting = Annotated[Presenter, Depends()]


@router.get("", summary="List the customers by their id")
async def list_customers(
    db: ReadDatabase, presenter: Presenting, paging: Paging, reading: ReadsNames, group_id: InGroup = None
) -> Page[CustomerView]:
    """All customers, or those who are in one group now. The reading is audited, because it shows names."""
    (after,) = paging.after(str) or ("",)
    found = await store.list_customers(db, group_id, str(after), paging.limit + 1)
    if found:
        await reading.record("customers", group=group_id, customers=min(len(found), paging.limit))
    shown = await presenter.show(found)
    return paging.page(found, lambda customer: (customer.id,), lambda customer: shown[customer.id])


@router.get("/{any_id}", summary="Read the customer who has an id")
async def read_customer(
    presenter: Presenting, any_id: AnyId, reading: ReadsNames, kind: OfKind = None, source: OfSource = None
) -> CustomerView:
    """404 when no customer has appeared under the id; 409 when several have, each under an id of another kind.

    The reading is audited, because it shows a name.
    """
    found = await presenter.find(any_id, kind, source)
    if not found:
        raise Problem(404, "not-found", "No customer has appeared under this id.")
    if len(found) > 1:
        raise Problem(409, "ambiguous-id", "Several customers have an id of this value: name its kind and source.")
    await reading.record(f"customer/{found[0].id}")
    return (await presenter.show(found))[found[0].id]

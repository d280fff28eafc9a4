"""Delegated authority: grant it, revoke it, see who has it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import MaskedText
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.incidents.handlers import delegations as handlers
from moderation.incidents.handlers.delegations import Grant, UnfitPeriodError, UnknownDelegationError
from moderation.incidents.model.delegations import Delegation, Right
from moderation.incidents.store import delegations as store

router = Router(
    "/api/v1/delegations",
    tag="incidents",
    role="viewer",
    problems={UnknownDelegationError: (404, "unknown-delegation"), UnfitPeriodError: (422, "unfit-period")},
)

DelegationPath = Annotated[
    Id, Path(description="The delegation's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
]
OfPrincipal = Annotated[
    str | None, Query(max_length=300, description="Only those to this principal.", examples=["key:5f2a9c01d4e8b7a3"])
]
Admin = Annotated[Principal, require_role("admin")]


class DelegationView(BaseModel):
    """A right that somebody has, or had, for some groups and some time."""

    id: str = Field(description="The delegation's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    principal_id: str = Field(description="Who has it.", examples=["key:5f2a9c01d4e8b7a3"])
    rights: list[Right] = Field(description="What it allows.", examples=[["handle_incidents"]])
    groups: list[str] = Field(description="In which groups.", examples=[["group-1"]])
    until: datetime = Field(description="Until when.", examples=["2026-11-25T08:00:00Z"])
    reason: str = Field(description="Why.", examples=["国庆值班"])
    granted_by: str = Field(description="Who granted it.", examples=["key:0b7a3c01d4e85f2a"])
    granted_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    revoked_at: datetime | None = Field(description="When it was revoked.", examples=["2026-11-23T08:00:00Z"])
    revoked_by: str | None = Field(description="Who revoked it.", examples=["key:0b7a3c01d4e85f2a"])
    live: bool = Field(description="Whether it gives anything now.", examples=[True])


class NewDelegation(BaseModel):
    """What is to be delegated."""

    principal_id: str = Field(
        min_length=1,
        max_length=300,
        description="To whom, by the id that the audit log shows.",
        examples=["key:5f2a9c01"],
    )
    rights: set[Right] = Field(min_length=1, description="What it allows.", examples=[["handle_incidents"]])
    groups: set[Id] = Field(min_length=1, max_length=200, description="In which groups.", examples=[["group-1"]])
    until: Instant = Field(description="Until when, at most 31 days from now.", examples=["2026-11-25T08:00:00Z"])
    reason: Annotated[str, MaskedText(min_length=1, max_length=1_000)] = Field(
        description="Why.", examples=["国庆值班"]
    )


@router.get("", summary="List delegations")
async def list_delegations(db: ReadDatabase, paging: Paging, principal_id: OfPrincipal = None) -> Page[DelegationView]:
    """Newest first, those that are over among them."""
    found = await store.newest(db, principal_id, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda delegation: (delegation.id,), _view)


@router.post("", summary="Delegate authority for an emergency", status_code=201, response_model=DelegationView)
async def grant(wanted: NewDelegation, write: WriteOnce, who: Admin) -> Response:
    """It ends by itself."""
    asked = Grant(
        wanted.principal_id,
        frozenset(wanted.rights),
        tuple(sorted(wanted.groups)),
        truncate_to_milliseconds(wanted.until),
        wanted.reason,
    )

    async def use_case(work: Work) -> WriteResult:
        granted = await handlers.grant(work, asked, who.id)
        return WriteResult(_view(granted), location=f"/api/v1/delegations/{granted.id}")

    return await write(use_case)


@router.get("/{delegation_id}", summary="Read a delegation")
async def read_delegation(db: ReadDatabase, delegation_id: DelegationPath) -> DelegationView:
    """Also one that is over."""
    found = await store.find(db, delegation_id)
    if found is None:
        raise UnknownDelegationError(delegation_id)
    return _view(found)


@router.post("/{delegation_id}/revocation", summary="Take a delegation back at once", response_model=DelegationView)
async def revoke(delegation_id: DelegationPath, write: WriteOnce, who: Admin) -> Response:
    """One that is over stays as it is."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await handlers.revoke(work, delegation_id, who.id)))

    return await write(use_case)


def _view(delegation: Delegation) -> DelegationView:
    return DelegationView(
        id=delegation.id,
        principal_id=delegation.principal_id,
        rights=sorted(delegation.rights),
        groups=list(delegation.groups),
        until=delegation.until,
        reason=delegation.reason,
        granted_by=delegation.granted_by,
        granted_at=delegation.granted_at,
        revoked_at=delegation.revoked_at,
        revoked_by=delegation.revoked_by,
        live=delegation.is_live(datetime.now(UTC)),
    )

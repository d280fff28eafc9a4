"""Routes of delegations: grant one, revoke it, see who has what."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import MaskedText
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.delegations import handlers, store
from moderation.delegations.handlers import (
    GrantDelegationCommand,
    InvalidDelegationPeriodError,
)
from moderation.delegations.model import DelegatedRight, Delegation

router = Router(
    "/api/v1/delegations",
    tag="incidents",
    role="viewer",
    problems={InvalidDelegationPeriodError: (422, "unfit-period")},
)

DelegationPath = Annotated[
    Id, Path(description="Id of the delegation.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
]
OfPrincipal = Annotated[
    str | None,
    Query(max_length=300, description="List only delegations to this principal.", examples=["key:5f2a9c01d4e8b7a3"]),
]
Admin = Annotated[Principal, require_role("admin")]


class DelegationView(BaseModel):
    """Rights that a principal has, or had, in some groups for some time."""

    id: str = Field(description="Id of the delegation.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    principal_id: str = Field(
        description="Principal who has the rights, by the id that the audit log shows.",
        examples=["key:5f2a9c01d4e8b7a3"],
    )
    rights: list[DelegatedRight] = Field(description="Rights that are delegated.", examples=[["handle_incidents"]])
    groups: list[str] = Field(description="Ids of the groups in which the rights hold.", examples=[["group-1"]])
    until: datetime = Field(description="Moment at which the delegation ends.", examples=["2026-11-25T08:00:00Z"])
    reason: str = Field(description="Reason for which the rights were delegated.", examples=["国庆值班"])
    granted_by: str = Field(description="Principal who granted the delegation.", examples=["key:0b7a3c01d4e85f2a"])
    granted_at: datetime = Field(
        description="Moment at which the delegation was granted.", examples=["2026-11-22T08:00:00Z"]
    )
    revoked_at: datetime | None = Field(
        description="Moment at which the delegation was revoked; null if it was not.",
        examples=["2026-11-23T08:00:00Z"],
    )
    revoked_by: str | None = Field(
        description="Principal who revoked the delegation; null if nobody did.", examples=["key:0b7a3c01d4e85f2a"]
    )
    live: bool = Field(description="Whether the delegation gives its rights now.", examples=[True])


class DelegationBody(BaseModel):
    """A delegation to be granted."""

    principal_id: str = Field(
        min_length=1,
        max_length=300,
        description="Principal who gets the rights, by the id that the audit log shows.",
        examples=["key:5f2a9c01"],
    )
    rights: set[DelegatedRight] = Field(
        min_length=1, description="Rights to be delegated.", examples=[["handle_incidents"]]
    )
    groups: set[Id] = Field(
        min_length=1,
        max_length=200,
        description="Ids of the groups in which the rights are to hold.",
        examples=[["group-1"]],
    )
    until: Instant = Field(
        description="Moment at which the delegation ends, at most 31 days from now.",
        examples=["2026-11-25T08:00:00Z"],
    )
    reason: Annotated[str, MaskedText(min_length=1, max_length=1_000)] = Field(
        description="Reason for which the rights are delegated; it stands in the audit log.", examples=["国庆值班"]
    )


@router.get("", summary="List delegations")
async def list_delegations(db: ReadDatabase, paging: Paging, principal_id: OfPrincipal = None) -> Page[DelegationView]:
    """Newest first, those that are over among them."""
    found = await store.list_delegations(db, principal_id, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda delegation: (delegation.id,), _view)


@router.post("", summary="Grant a delegation", status_code=201, response_model=DelegationView)
async def grant_delegation(body: DelegationBody, write: WriteOnce, who: Admin) -> Response:
    """Delegate a moderator's rights to somebody for an emergency; the delegation ends by itself."""
    command = GrantDelegationCommand(
        body.principal_id,
        frozenset(body.rights),
        tuple(sorted(body.groups)),
        truncate_to_milliseconds(body.until),
        body.reason,
    )

    async def use_case(work: Work) -> WriteResult:
        granted = await handlers.grant_delegation(work, command, who.id)
        return WriteResult(_view(granted), location=f"/api/v1/delegations/{granted.id}")

    return await write(use_case)


@router.get("/{delegation_id}", summary="Read a delegation")
async def read_delegation(db: ReadDatabase, delegation_id: DelegationPath) -> DelegationView:
    """Also one that is over."""
    return _view(await handlers.get_delegation(db, delegation_id))


@router.post("/{delegation_id}/revocation", summary="Revoke a delegation", response_model=DelegationView)
async def revoke_delegation(delegation_id: DelegationPath, write: WriteOnce, who: Admin) -> Response:
    """Its rights end at once. A delegation that is over stays as it is."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await handlers.revoke_delegation(work, delegation_id, who.id)))

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

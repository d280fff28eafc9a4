"""Plans: read them, write a version, put one in force."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.web import (
    Answer,
    IfMatch,
    Page,
    Paging,
    Principal,
    Router,
    Store,
    WriteOnce,
    requires,
    set_etag,
)
from huiqun.work import Work
from moderation.incidents.handlers import plans as handlers
from moderation.incidents.handlers.plans import InactivePlanError, UnknownPlanError
from moderation.incidents.model.plans import Kind, Plan
from moderation.incidents.store.plans import PlanHead, PlanVersion

router = Router(
    "/api/v1/incident-plans",
    tag="incidents",
    role="viewer",
    problems={UnknownPlanError: (404, "unknown-plan"), InactivePlanError: (409, "inactive-plan")},
)

KindPath = Annotated[Kind, Path(description="The kind of crisis.", examples=["leak"])]
NumberPath = Annotated[int, Path(ge=0, le=1_000_000, description="Number of the version.", examples=[2])]
Admin = Annotated[Principal, requires("admin")]


class PlanSummary(BaseModel):
    """The plan for a kind of crisis, and which of its versions is in force."""

    kind: str = Field(description="The kind of crisis.", examples=["leak"])
    latest: int = Field(description="Number of its newest version; 0 for what comes with Huiqun.", examples=[2])
    active: int | None = Field(description="Number of the version in force; null if none is.", examples=[1])
    revision: int = Field(description="Rises with every change; it is the ETag, too.", examples=[3])
    updated_at: datetime | None = Field(description="When it was last changed.", examples=["2026-11-22T08:00:00Z"])


class PlanInForce(PlanSummary):
    """A plan with what is in force."""

    plan: Plan | None = Field(description="The version in force; null if none is.")


class PlanVersionView(BaseModel):
    """A version of a plan; it never changes."""

    kind: str = Field(description="The kind of crisis.", examples=["leak"])
    version: int = Field(description="Number of the version.", examples=[2])
    note: str = Field(description="Why it was written.", examples=["复盘：缩短核实时间"])
    created_by: str = Field(description="Who wrote it.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="When it was written.", examples=["2026-11-22T08:00:00Z"])
    incident_id: str | None = Field(
        description="The incident whose review asked for it.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"]
    )
    plan: Plan = Field(description="The plan.")


class PlanDraft(BaseModel):
    """What a new version says."""

    plan: Plan = Field(description="The whole plan.")
    note: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="Why it is written.", examples=["缩短核实时间"]
    )


class PlanActivation(BaseModel):
    """Which version is to be in force."""

    version: int = Field(ge=0, le=1_000_000, description="Number of the version.", examples=[2])


@router.get("", summary="List the plans")
async def list_plans(db: Store, paging: Paging) -> Page[PlanSummary]:
    """By kind; those that come with Huiqun are there before anybody has written one."""
    after = paging.last(str) or ""
    found = [head for head in await handlers.list_heads(db) if head.kind > after]
    return paging.page(found, lambda head: (head.kind,), _head)


@router.get("/{kind}", summary="Read the plan in force for a kind of crisis")
async def read_plan(db: Store, kind: KindPath, response: Response) -> PlanInForce:
    """The ETag is what an activation needs as If-Match."""
    head = await handlers.find_head(db, kind)
    plan = None if head.active is None else (await handlers.find_version(db, kind, head.active)).plan
    set_etag(response, head.revision)
    return PlanInForce(**_head(head).model_dump(), plan=plan)


@router.get("/{kind}/versions", summary="List the versions of a plan")
async def list_versions(db: Store, kind: KindPath, paging: Paging) -> Page[PlanVersionView]:
    """Newest first; drafts that a review has asked for are among them."""
    found = await handlers.list_versions(db, kind, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.version,), _version)


@router.get("/{kind}/versions/{number}", summary="Read one version of a plan")
async def read_version(db: Store, kind: KindPath, number: NumberPath) -> PlanVersionView:
    """Version 0 is what comes with Huiqun."""
    return _version(await handlers.find_version(db, kind, number))


@router.post(
    "/{kind}/versions", summary="Write a new version of a plan", status_code=201, response_model=PlanVersionView
)
async def write_version(kind: KindPath, draft: PlanDraft, write: WriteOnce, who: Admin) -> Response:
    """Nothing changes before the version is activated. A kind that is not there yet is made by its first version."""

    async def use_case(work: Work) -> Answer:
        version = await handlers.write_version(work, handlers.Draft(kind, draft.plan, draft.note), who.id)
        return Answer(_version(version), location=f"/api/v1/incident-plans/{kind}/versions/{version.version}")

    return await write(use_case)


@router.post("/{kind}/activation", summary="Put a version in force for incidents to come", response_model=PlanSummary)
async def activate(kind: KindPath, activation: PlanActivation, seen: IfMatch, write: WriteOnce, who: Admin) -> Response:
    """Incidents that are open go on with the version they began with."""

    async def use_case(work: Work) -> Answer:
        head = await handlers.activate_version(work, kind, activation.version, seen.check, who.id)
        return Answer(_head(head), version=head.revision)

    return await write(use_case)


def _head(head: PlanHead) -> PlanSummary:
    return PlanSummary(
        kind=head.kind, latest=head.latest, active=head.active, revision=head.revision, updated_at=head.updated_at
    )


def _version(version: PlanVersion) -> PlanVersionView:
    return PlanVersionView(
        kind=version.kind,
        version=version.version,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        incident_id=version.incident_id,
        plan=version.plan,
    )

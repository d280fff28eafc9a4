"""Routes of incident plans: read them, write and edit a version, compare two, put one in force."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.versions.api import (
    VERSION_PROBLEMS,
    ActivationReason,
    ApprovalView,
    Approver,
    DifferenceView,
    NumberPath,
    VersionPath,
    VersionRoutes,
    approval_view,
    approver_with,
    list_difference_views,
)
from huiqun.versions.model import ActivateVersionCommand, Version, VersionHead, WriteVersionCommand
from huiqun.web import (
    IfMatch,
    Page,
    Paging,
    Principal,
    ReadDatabase,
    Router,
    WriteOnce,
    WriteResult,
    require_role,
    set_etag,
)
from huiqun.work import Work
from moderation.plans import handlers
from moderation.plans.handlers import INCIDENT_PLANS, InactivePlanError
from moderation.plans.model import IncidentPlan, PlanKind, plan_content, plan_of_version

router = Router(
    "/api/v1/incident-plans",
    tag="incidents",
    role="viewer",
    problems={
        **VERSION_PROBLEMS,
        InactivePlanError: (409, "inactive-plan"),
    },
)

KindPath = Annotated[PlanKind, Path(description="Kind of crisis that the plan is for.", examples=["leak"])]
Against = Annotated[
    int | None,
    Query(
        ge=0,
        le=1_000_000,
        description="Number of the version to compare with; by default the one in force.",
        examples=[1],
    ),
]
Admin = Annotated[Principal, require_role("admin")]
ApprovingAdmin = Annotated[Approver, approver_with("admin")]


def plan_version_place(kind: KindPath, number: NumberPath) -> VersionPath:
    """The version that the path names."""
    return VersionPath(kind, number)


PlanVersionPlace = Annotated[VersionPath, Depends(plan_version_place)]
VersionRoutes(INCIDENT_PLANS, "an incident plan", "/{kind}/versions/{number}", plan_version_place, "admin").add_to(
    router
)


class PlanSummaryView(BaseModel):
    """The plan for a kind of crisis, and which of its versions is in force."""

    kind: str = Field(description="Kind of crisis that the plan is for.", examples=["leak"])
    latest: int = Field(description="Number of the plan's newest version; 0 for what comes with Huiqun.", examples=[2])
    active: int | None = Field(description="Number of the version in force; null if none is.", examples=[1])
    revision: int = Field(description="Revision of the plan, which is its ETag.", examples=[3])
    updated_at: datetime | None = Field(
        description="Moment at which the plan was last changed.", examples=["2026-11-22T08:00:00Z"]
    )


class PlanInForceView(PlanSummaryView):
    """A plan with what is in force."""

    plan: IncidentPlan | None = Field(description="Plan in force; null if no version is.")


class PlanVersionView(ApprovalView):
    """A version of a plan; it does not change any more once it was in force."""

    kind: str = Field(description="Kind of crisis that the plan is for.", examples=["leak"])
    version: int = Field(description="Number of the version.", examples=[2])
    note: str = Field(description="Note of the author: why the version was written.", examples=["复盘：缩短核实时间"])
    created_by: str = Field(description="Principal who wrote the version.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(
        description="Moment at which the version was written.", examples=["2026-11-22T08:00:00Z"]
    )
    incident_id: str | None = Field(
        description="Id of the incident whose review asked for the version; null for any other.",
        examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"],
    )
    plan: IncidentPlan = Field(description="Plan that the version says.")


class PlanComparisonView(BaseModel):
    """In what a version of a plan differs from another one."""

    kind: str = Field(description="Kind of crisis that the plan is for.", examples=["leak"])
    version: int = Field(description="Number of the version.", examples=[2])
    against: int | None = Field(
        description="Number of the version that it is compared with; null if none is in force.", examples=[1]
    )
    differences: list[DifferenceView] = Field(description="Values in which the two versions differ.")


class PlanVersionBody(BaseModel):
    """What a version of a plan says."""

    plan: IncidentPlan = Field(description="Plan, as a whole, that the version is to say.")
    note: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="Note of the author: why the version is written.", examples=["缩短核实时间"]
    )


class PlanActivationBody(BaseModel):
    """Which version of a plan is to be in force."""

    version: int = Field(ge=0, le=1_000_000, description="Number of the version to activate.", examples=[2])
    reason: ActivationReason = ""


@router.get("", summary="List incident plans")
async def list_plans(db: ReadDatabase, paging: Paging) -> Page[PlanSummaryView]:
    """By kind; those that come with Huiqun are there before anybody has written one."""
    found = await INCIDENT_PLANS.list_heads(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda head: (head.document_id,), _summary)


@router.get("/{kind}", summary="Read the incident plan in force for a kind of crisis")
async def read_plan(db: ReadDatabase, kind: KindPath, response: Response) -> PlanInForceView:
    """The ETag is what an activation needs as If-Match."""
    head = await INCIDENT_PLANS.get_head(db, kind)
    plan = None if head.active is None else plan_of_version(await INCIDENT_PLANS.get_version(db, kind, head.active))
    set_etag(response, head.revision)
    return PlanInForceView(**_summary(head).model_dump(), plan=plan)


@router.get("/{kind}/versions", summary="List versions of an incident plan")
async def list_plan_versions(db: ReadDatabase, kind: KindPath, paging: Paging) -> Page[PlanVersionView]:
    """Newest first; drafts that a review has asked for are among them."""
    found = await INCIDENT_PLANS.list_versions(db, kind, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.number,), _version)


@router.get("/{kind}/versions/{number}", summary="Read a version of an incident plan")
async def read_plan_version(db: ReadDatabase, kind: KindPath, number: NumberPath) -> PlanVersionView:
    """Version 0 is what comes with Huiqun."""
    return _version(await INCIDENT_PLANS.get_version(db, kind, number))


@router.get("/{kind}/versions/{number}/diff", summary="Compare two versions of an incident plan")
async def compare_plan_versions(
    db: ReadDatabase, kind: KindPath, number: NumberPath, against: Against = None
) -> PlanComparisonView:
    """Value by value, each step by its key."""
    other, found = await handlers.compare_plan_versions(db, kind, number, against)
    return PlanComparisonView(kind=kind, version=number, against=other, differences=list_difference_views(found))


@router.post(
    "/{kind}/versions", summary="Write a version of an incident plan", status_code=201, response_model=PlanVersionView
)
async def write_plan_version(kind: KindPath, body: PlanVersionBody, write: WriteOnce, who: Admin) -> Response:
    """Nothing changes before the version is activated. A kind that is not there yet is made by its first version."""
    command = WriteVersionCommand(plan_content(body.plan), body.note, who.id)

    async def use_case(work: Work) -> WriteResult:
        version = await INCIDENT_PLANS.write_version(work, kind, command)
        return WriteResult(_version(version), location=f"/api/v1/incident-plans/{kind}/versions/{version.number}")

    return await write(use_case)


@router.put(
    "/{kind}/versions/{number}",
    summary="Edit a version of an incident plan that was never in force",
    response_model=PlanVersionView,
)
async def edit_plan_version(
    place: PlanVersionPlace, body: PlanVersionBody, seen: IfMatch, write: WriteOnce, who: Admin
) -> Response:
    """It is a draft again: an approval of what it said before is void. If-Match takes the ETag of the plan."""
    command = WriteVersionCommand(plan_content(body.plan), body.note, who.id)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(
            _version(await handlers.edit_plan_version(work, place.document_id, place.number, command, seen.check))
        )

    return await write(use_case)


@router.post("/{kind}/activation", summary="Activate a version of an incident plan", response_model=PlanSummaryView)
async def activate_plan_version(
    kind: KindPath, body: PlanActivationBody, seen: IfMatch, write: WriteOnce, who: ApprovingAdmin
) -> Response:
    """The version is in force for incidents to come; those that are open go on with the version they began with.

    Who activates a version that nobody has approved approves it, and has not written in it. Going back needs a reason.
    """
    command = ActivateVersionCommand(body.version, who.id, body.reason, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        head = await handlers.activate_plan_version(work, kind, command, seen.check)
        return WriteResult(_summary(head), version=head.revision)

    return await write(use_case)


def _summary(head: VersionHead) -> PlanSummaryView:
    return PlanSummaryView(
        kind=head.document_id,
        latest=head.latest,
        active=head.active,
        revision=head.revision,
        updated_at=head.updated_at,
    )


def _version(version: Version) -> PlanVersionView:
    return PlanVersionView(
        kind=version.document_id,
        version=version.number,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        incident_id=version.details.get("incident_id"),
        plan=plan_of_version(version),
        **approval_view(version.approval, version.content_hash).model_dump(),
    )

"""Plans: read them, write and edit a version, compare two, put one in force."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.versions.api import (
    VERSION_PROBLEMS,
    ActivationReason,
    ApprovalView,
    Approver,
    NumberPath,
    VersionPath,
    VersionRoutes,
    approval_view,
    approver_with,
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
from moderation.incidents.handlers import plans as handlers
from moderation.incidents.handlers.plans import PLANS, InactivePlanError, UnknownPlanError, content_of, plan_of
from moderation.incidents.model.plans import Kind, Plan

router = Router(
    "/api/v1/incident-plans",
    tag="incidents",
    role="viewer",
    problems={
        **VERSION_PROBLEMS,
        UnknownPlanError: (404, "unknown-plan"),
        InactivePlanError: (409, "inactive-plan"),
    },
)

KindPath = Annotated[Kind, Path(description="The kind of crisis.", examples=["leak"])]
Against = Annotated[
    int | None,
    Query(ge=0, le=1_000_000, description="Number of the other version; by default the one in force.", examples=[1]),
]
Admin = Annotated[Principal, require_role("admin")]
Activating = Annotated[Approver, approver_with("admin")]


def place_of(kind: KindPath, number: NumberPath) -> VersionPath:
    """The version that the path names."""
    return VersionPath(kind, number)


Place = Annotated[VersionPath, Depends(place_of)]
VersionRoutes(PLANS, "an incident plan", "/{kind}/versions/{number}", place_of, "admin").add_to(router)


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


class PlanVersionView(ApprovalView):
    """A version of a plan; it does not change any more once it was in force."""

    kind: str = Field(description="The kind of crisis.", examples=["leak"])
    version: int = Field(description="Number of the version.", examples=[2])
    note: str = Field(description="Why it was written.", examples=["复盘：缩短核实时间"])
    created_by: str = Field(description="Who wrote it.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="When it was written.", examples=["2026-11-22T08:00:00Z"])
    incident_id: str | None = Field(
        description="The incident whose review asked for it.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"]
    )
    plan: Plan = Field(description="The plan.")


class PlanDifferenceView(BaseModel):
    """A value in which two versions of a plan differ."""

    path: str = Field(description="Where it stands in the plan; steps by their keys.", examples=["steps/verify/title"])
    old: Any = Field(description="Its value in the other version; null where that has none.", examples=["核实情况"])
    new: Any = Field(description="Its value in this version; null where it has none.", examples=["核实情况并留存证据"])


class PlanComparisonView(BaseModel):
    """What is other in a version of a plan than in another one."""

    kind: str = Field(description="The kind of crisis.", examples=["leak"])
    version: int = Field(description="Number of the version.", examples=[2])
    against: int | None = Field(description="Number of the other version; null if none is in force.", examples=[1])
    differences: list[PlanDifferenceView] = Field(description="The values that differ.")


class PlanDraft(BaseModel):
    """What a new version says."""

    plan: Plan = Field(description="The whole plan.")
    note: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="Why it is written.", examples=["缩短核实时间"]
    )


class PlanActivation(BaseModel):
    """Which version is to be in force."""

    version: int = Field(ge=0, le=1_000_000, description="Number of the version.", examples=[2])
    reason: ActivationReason = ""


@router.get("", summary="List the plans")
async def list_plans(db: ReadDatabase, paging: Paging) -> Page[PlanSummary]:
    """By kind; those that come with Huiqun are there before anybody has written one."""
    found = await PLANS.list_heads(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda head: (head.document_id,), _head)


@router.get("/{kind}", summary="Read the plan in force for a kind of crisis")
async def read_plan(db: ReadDatabase, kind: KindPath, response: Response) -> PlanInForce:
    """The ETag is what an activation needs as If-Match."""
    head = await PLANS.get_head(db, kind)
    plan = None if head.active is None else plan_of(await PLANS.get_version(db, kind, head.active))
    set_etag(response, head.revision)
    return PlanInForce(**_head(head).model_dump(), plan=plan)


@router.get("/{kind}/versions", summary="List the versions of a plan")
async def list_versions(db: ReadDatabase, kind: KindPath, paging: Paging) -> Page[PlanVersionView]:
    """Newest first; drafts that a review has asked for are among them."""
    found = await PLANS.list_versions(db, kind, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.number,), _version)


@router.get("/{kind}/versions/{number}", summary="Read one version of a plan")
async def read_version(db: ReadDatabase, kind: KindPath, number: NumberPath) -> PlanVersionView:
    """Version 0 is what comes with Huiqun."""
    return _version(await PLANS.get_version(db, kind, number))


@router.get("/{kind}/versions/{number}/diff", summary="Compare a version of a plan with another one")
async def compare(db: ReadDatabase, kind: KindPath, number: NumberPath, against: Against = None) -> PlanComparisonView:
    """Value by value, each step by its key."""
    other, found = await handlers.compare_versions(db, kind, number, against)
    differences = [PlanDifferenceView(path="/".join(each.path), old=each.old, new=each.new) for each in found]
    return PlanComparisonView(kind=kind, version=number, against=other, differences=differences)


@router.post(
    "/{kind}/versions", summary="Write a new version of a plan", status_code=201, response_model=PlanVersionView
)
async def write_version(kind: KindPath, draft: PlanDraft, write: WriteOnce, who: Admin) -> Response:
    """Nothing changes before the version is activated. A kind that is not there yet is made by its first version."""
    wish = WriteVersionCommand(content_of(draft.plan), draft.note, who.id)

    async def use_case(work: Work) -> WriteResult:
        version = await PLANS.write_version(work, kind, wish)
        return WriteResult(_version(version), location=f"/api/v1/incident-plans/{kind}/versions/{version.number}")

    return await write(use_case)


@router.put(
    "/{kind}/versions/{number}",
    summary="Edit a version of a plan that was never in force",
    response_model=PlanVersionView,
)
async def edit_version(place: Place, draft: PlanDraft, seen: IfMatch, write: WriteOnce, who: Admin) -> Response:
    """It is a draft again: an approval of what it said before is void. If-Match takes the ETag of the plan."""
    wish = WriteVersionCommand(content_of(draft.plan), draft.note, who.id)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(
            _version(await handlers.edit_version(work, place.document_id, place.number, wish, seen.check))
        )

    return await write(use_case)


@router.post("/{kind}/activation", summary="Put a version in force for incidents to come", response_model=PlanSummary)
async def activate(
    kind: KindPath, activation: PlanActivation, seen: IfMatch, write: WriteOnce, who: Activating
) -> Response:
    """Incidents that are open go on with the version they began with.

    Who activates a version that nobody has approved approves it, and has not written in it. Going back needs a reason.
    """
    order = ActivateVersionCommand(activation.version, who.id, activation.reason, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        head = await handlers.activate_version(work, kind, order, seen.check)
        return WriteResult(_head(head), version=head.revision)

    return await write(use_case)


def _head(head: VersionHead) -> PlanSummary:
    return PlanSummary(
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
        plan=plan_of(version),
        **approval_view(version.approval, version.content_hash).model_dump(),
    )

"""Policies: read them, write and edit a version, compare two, put one in force."""

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
    DifferenceView,
    NumberPath,
    VersionPath,
    VersionRoutes,
    approval_view,
    approver_with,
    list_difference_views,
)
from huiqun.versions.model import (
    ActivateVersionCommand,
    Version,
    VersionHead,
    WriteVersionCommand,
)
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
from moderation.policies import handlers
from moderation.policies.handlers import POLICIES
from moderation.policies.model import InheritanceConflictError, InvalidPolicyError, PolicyId
from moderation.policies.sections.layers import dump_changes
from moderation.policies.sections.rules import Rules

router = Router(
    "/api/v1/policies",
    tag="policies",
    role="viewer",
    problems={
        **VERSION_PROBLEMS,
        InvalidPolicyError: (422, "unfit-policy"),
        InheritanceConflictError: (409, "unfit-heirs"),
    },
)

Reason = Annotated[str, MaskedText(strip_whitespace=True, max_length=1_000)]
PolicyPath = Annotated[PolicyId, Path(description="The policy's id.", examples=["default"])]
Against = Annotated[
    int | None,
    Query(
        ge=0,
        le=1_000_000,
        description="Number of the other version, 0 for what is inherited; by default the one in force, 0 if none is.",
        examples=[2],
    ),
]
Moderator = Annotated[Principal, require_role("moderator")]
Approving = Annotated[Approver, approver_with("moderator")]


def place_of(policy_id: PolicyPath, number: NumberPath) -> VersionPath:
    """The version that the path names."""
    return VersionPath(policy_id, number)


Place = Annotated[VersionPath, Depends(place_of)]
VersionRoutes(POLICIES, "a policy", "/{policy_id}/versions/{number}", place_of, "moderator").add_to(router)


class PolicyView(BaseModel):
    """A policy and which of its versions is in force."""

    id: str = Field(description="The policy's id.", examples=["default"])
    latest: int = Field(
        description="Number of the policy's newest version; 0 for what comes with Huiqun.", examples=[4]
    )
    active: int | None = Field(description="Number of the version in force; null if none is.", examples=[3])
    revision: int = Field(
        description="Revision of the policy, which rises with every change; the ETag, too.", examples=[7]
    )
    updated_at: datetime | None = Field(
        description="Moment the policy was last changed.", examples=["2026-11-22T08:00:00Z"]
    )


class PolicyDetailView(PolicyView):
    """A policy with the rules that are in force."""

    rules: Rules | None = Field(description="The rules under the version in force, inherited ones included.")


class BacktestSummaryView(BaseModel):
    """How the latest backtest of a version ended."""

    id: str = Field(description="The backtest's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    finished_at: datetime = Field(description="Moment the backtest ended.", examples=["2026-11-22T08:00:00Z"])
    messages: int = Field(description="Number of messages judged again.", examples=[48213])
    added: int = Field(description="Hits that only the version tried has.", examples=[37])
    lost: int = Field(description="Hits that only the rules in force have.", examples=[2])
    changed: int = Field(description="Messages with another verdict.", examples=[35])


class PolicyActivationView(PolicyView):
    """A policy whose version came into force."""

    backtest: BacktestSummaryView | None = Field(
        description="The latest backtest of this version; null if there is none."
    )


class PolicyVersionView(ApprovalView):
    """A version of a policy; what it says does not change any more once it was in force."""

    policy_id: str = Field(description="The policy's id.", examples=["default"])
    version: int = Field(description="Number of the version, from 1.", examples=[3])
    note: str = Field(description="Why the version was written.", examples=["Campaign week: allow the shop's links"])
    created_by: str = Field(description="Principal who wrote the version.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="Moment the version was made.", examples=["2026-11-22T08:00:00Z"])
    rules: dict[str, Any] = Field(
        description="What the version says; all else is inherited, from the default or from what comes with Huiqun.",
        examples=[{"quota": {"per_day": 5}, "links": None}],
    )
    backtest: BacktestSummaryView | None = Field(description="The version's latest backtest; null if there is none.")


class PolicyVersionDetailView(PolicyVersionView):
    """A version with the rules that would hold under it."""

    effective: Rules = Field(description="The rules that would hold if the version were in force now.")


class PolicyComparisonView(BaseModel):
    """What is other in a version than in another one, inherited values included."""

    policy_id: str = Field(description="The policy's id.", examples=["default"])
    version: int = Field(description="Number of the version that is compared.", examples=[3])
    against: int = Field(description="Number of the other version; 0 for what is inherited.", examples=[2])
    differences: list[DifferenceView] = Field(description="The values in which the two versions differ.")


class PolicyDraft(BaseModel):
    """What a new version says."""

    rules: Rules = Field(
        description="Rules of the version: what is to be other than inherited; a section that is null is off."
    )
    note: Reason = Field(default="", description="Why the version is written.", examples=["Fewer messages a day"])


class PolicyActivation(BaseModel):
    """Which version is to be in force."""

    version: int = Field(ge=1, le=1_000_000, description="Number of the version to activate.", examples=[3])
    reason: ActivationReason = ""


@router.get("", summary="List the policies")
async def list_policies(db: ReadDatabase, paging: Paging) -> Page[PolicyView]:
    """By id; the default is there even before anybody has written one."""
    found = await POLICIES.list_heads(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda head: (head.document_id,), _policy_view)


@router.get("/{policy_id}", summary="Read a policy with the rules in force")
async def read_policy(db: ReadDatabase, policy_id: PolicyPath, response: Response) -> PolicyDetailView:
    """The ETag is what an activation needs as If-Match."""
    head = await POLICIES.get_head(db, policy_id)
    rules = None
    if head.active is not None:
        rules = await handlers.get_effective_rules(db, await POLICIES.get_version(db, policy_id, head.active))
    set_etag(response, head.revision)
    return PolicyDetailView(**_policy_view(head).model_dump(), rules=rules)


@router.get("/{policy_id}/versions", summary="List the versions of a policy")
async def list_policy_versions(db: ReadDatabase, policy_id: PolicyPath, paging: Paging) -> Page[PolicyVersionView]:
    """Newest first."""
    found = await POLICIES.list_versions(db, policy_id, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.number,), _version_view)


@router.get("/{policy_id}/versions/{number}", summary="Read one version of a policy")
async def read_policy_version(db: ReadDatabase, policy_id: PolicyPath, number: NumberPath) -> PolicyVersionDetailView:
    """Version 0 of the default is what comes with Huiqun."""
    version = await POLICIES.get_version(db, policy_id, number)
    return PolicyVersionDetailView(
        **_version_view(version).model_dump(), effective=await handlers.get_effective_rules(db, version)
    )


@router.get("/{policy_id}/versions/{number}/diff", summary="Compare a version of a policy with another one")
async def compare_policy_versions(
    db: ReadDatabase, policy_id: PolicyPath, number: NumberPath, against: Against = None
) -> PolicyComparisonView:
    """Value by value, as the policy's groups would feel it: both versions over the default in force now."""
    other, found = await handlers.compare_policy_versions(db, policy_id, number, against)
    return PolicyComparisonView(
        policy_id=policy_id, version=number, against=other, differences=list_difference_views(found)
    )


@router.post(
    "/{policy_id}/versions",
    summary="Write a new version of a policy",
    status_code=201,
    response_model=PolicyVersionView,
)
async def write_policy_version(policy_id: PolicyPath, draft: PolicyDraft, write: WriteOnce, who: Moderator) -> Response:
    """Nothing changes before the version is activated. The first version makes the policy."""

    async def use_case(work: Work) -> WriteResult:
        version = await handlers.write_policy_version(work, policy_id, draft.rules, draft.note, who.id)
        return WriteResult(_version_view(version), location=f"/api/v1/policies/{policy_id}/versions/{version.number}")

    return await write(use_case)


@router.put(
    "/{policy_id}/versions/{number}",
    summary="Edit a version of a policy that was never in force",
    response_model=PolicyVersionView,
)
async def edit_policy_version(
    place: Place, draft: PolicyDraft, seen: IfMatch, write: WriteOnce, who: Moderator
) -> Response:
    """It is a draft again: an approval of what it said before is void. If-Match takes the ETag of the policy."""
    command = WriteVersionCommand(dump_changes(draft.rules), draft.note, who.id, {"backtest": None})

    async def use_case(work: Work) -> WriteResult:
        version = await handlers.edit_policy_version(work, place.document_id, place.number, command, seen.check)
        return WriteResult(_version_view(version))

    return await write(use_case)


@router.post(
    "/{policy_id}/activation",
    summary="Activate a version of a policy",
    response_model=PolicyActivationView,
)
async def activate_policy_version(
    policy_id: PolicyPath, activation: PolicyActivation, seen: IfMatch, write: WriteOnce, who: Approving
) -> Response:
    """In force everywhere within two seconds.

    Who activates a version that nobody has approved approves it, and has not written in it. An older version is
    activated again with a reason, by anybody if it was approved.
    """
    command = ActivateVersionCommand(activation.version, who.id, activation.reason, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        head = await handlers.activate_policy_version(work, policy_id, command, seen.check)
        version = await POLICIES.get_version(work, policy_id, activation.version)
        activated = PolicyActivationView(**_policy_view(head).model_dump(), backtest=_backtest_view(version))
        return WriteResult(activated, version=head.revision)

    return await write(use_case)


def _policy_view(head: VersionHead) -> PolicyView:
    return PolicyView(
        id=head.document_id,
        latest=head.latest,
        active=head.active,
        revision=head.revision,
        updated_at=head.updated_at,
    )


def _version_view(version: Version) -> PolicyVersionView:
    return PolicyVersionView(
        policy_id=version.document_id,
        version=version.number,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        rules=dict(version.content),
        backtest=_backtest_view(version),
        **approval_view(version.approval, version.content_hash).model_dump(),
    )


def _backtest_view(version: Version) -> BacktestSummaryView | None:
    note = version.details.get("backtest")
    return BacktestSummaryView(**note) if note else None

"""Policies: read them, write and edit a version, compare two, put one in force."""

from collections.abc import Sequence
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
from huiqun.versions.model import (
    ActivateVersionCommand,
    Difference,
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
from moderation.policies.api.unfit import unfit
from moderation.policies.handlers import POLICIES, UnfitHeirsError, UnfitPolicyError, UnknownPolicyError
from moderation.policies.model import PolicyId, Rules, changes_of

router = Router(
    "/api/v1/policies",
    tag="policies",
    role="viewer",
    problems={
        **VERSION_PROBLEMS,
        UnknownPolicyError: (404, "unknown-policy"),
        UnfitHeirsError: (409, "unfit-heirs"),
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
    latest: int = Field(description="Number of its newest version; 0 for what comes with Huiqun.", examples=[4])
    active: int | None = Field(description="Number of the version in force; null if none is.", examples=[3])
    revision: int = Field(description="Rises with every change; it is the ETag, too.", examples=[7])
    updated_at: datetime | None = Field(description="When it was last changed.", examples=["2026-11-22T08:00:00Z"])


class PolicyInForce(PolicyView):
    """A policy with the rules that are in force."""

    rules: Rules | None = Field(description="The rules under the version in force, inherited ones included.")


class BacktestNote(BaseModel):
    """How the latest backtest of a version ended."""

    id: str = Field(description="The backtest's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    finished_at: datetime = Field(description="When it ended.", examples=["2026-11-22T08:00:00Z"])
    messages: int = Field(description="How many messages were judged again.", examples=[48213])
    added: int = Field(description="Hits that the rules in force did not have.", examples=[37])
    lost: int = Field(description="Hits that only the rules in force have.", examples=[2])
    changed: int = Field(description="Messages with another verdict.", examples=[35])


class PolicyActivated(PolicyView):
    """A policy whose version came into force."""

    backtest: BacktestNote | None = Field(description="The latest backtest of this version; null if there is none.")


class VersionView(ApprovalView):
    """A version of a policy; what it says does not change any more once it was in force."""

    policy_id: str = Field(description="The policy's id.", examples=["default"])
    version: int = Field(description="Number of the version, from 1.", examples=[3])
    note: str = Field(description="Why it was written.", examples=["Campaign week: allow the shop's links"])
    created_by: str = Field(description="Who wrote it.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="When it was written.", examples=["2026-11-22T08:00:00Z"])
    rules: dict[str, Any] = Field(
        description="What it says; all else is inherited, from the default or from what comes with Huiqun.",
        examples=[{"quota": {"per_day": 5}, "links": None}],
    )
    backtest: BacktestNote | None = Field(description="Its latest backtest; null if there is none.")


class VersionInFull(VersionView):
    """A version with the rules that would hold under it."""

    effective: Rules = Field(description="The rules that would hold if it were in force now.")


class DifferenceView(BaseModel):
    """A value in which two versions differ."""

    path: str = Field(description="Where it stands in the rules.", examples=["quota/per_day"])
    old: Any = Field(description="Its value in the other version; null where that has none.", examples=[5])
    new: Any = Field(description="Its value in this version; null where it has none.", examples=[8])


class ComparisonView(BaseModel):
    """What is other in a version than in another one, inherited values included."""

    policy_id: str = Field(description="The policy's id.", examples=["default"])
    version: int = Field(description="The version.", examples=[3])
    against: int = Field(description="The other version; 0 for what is inherited.", examples=[2])
    differences: list[DifferenceView] = Field(description="The values that differ.")


class Draft(BaseModel):
    """What a new version says."""

    rules: Rules = Field(description="What is to be other than what is inherited; a section that is null is off.")
    note: Reason = Field(default="", description="Why it is written.", examples=["Fewer messages a day"])


class Activation(BaseModel):
    """Which version is to be in force."""

    version: int = Field(ge=1, le=1_000_000, description="Number of the version.", examples=[3])
    reason: ActivationReason = ""


@router.get("", summary="List the policies")
async def list_policies(db: ReadDatabase, paging: Paging) -> Page[PolicyView]:
    """By id; the default is there even before anybody has written one."""
    found = await POLICIES.list_heads(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda head: (head.document_id,), _head)


@router.get("/{policy_id}", summary="Read a policy with the rules in force")
async def read_policy(db: ReadDatabase, policy_id: PolicyPath, response: Response) -> PolicyInForce:
    """The ETag is what an activation needs as If-Match."""
    head = await POLICIES.get_head(db, policy_id)
    rules = None
    if head.active is not None:
        rules = await handlers.rules_of(db, await POLICIES.get_version(db, policy_id, head.active))
    set_etag(response, head.revision)
    return PolicyInForce(**_head(head).model_dump(), rules=rules)


@router.get("/{policy_id}/versions", summary="List the versions of a policy")
async def list_versions(db: ReadDatabase, policy_id: PolicyPath, paging: Paging) -> Page[VersionView]:
    """Newest first."""
    found = await POLICIES.list_versions(db, policy_id, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.number,), _version)


@router.get("/{policy_id}/versions/{number}", summary="Read one version of a policy")
async def read_version(db: ReadDatabase, policy_id: PolicyPath, number: NumberPath) -> VersionInFull:
    """Version 0 of the default is what comes with Huiqun."""
    version = await POLICIES.get_version(db, policy_id, number)
    return VersionInFull(**_version(version).model_dump(), effective=await handlers.rules_of(db, version))


@router.get("/{policy_id}/versions/{number}/diff", summary="Compare a version with another one")
async def compare(
    db: ReadDatabase, policy_id: PolicyPath, number: NumberPath, against: Against = None
) -> ComparisonView:
    """Value by value, as the policy's groups would feel it: both versions over the default in force now."""
    other, found = await handlers.compare_versions(db, policy_id, number, against)
    return ComparisonView(policy_id=policy_id, version=number, against=other, differences=differences_view(found))


@router.post(
    "/{policy_id}/versions", summary="Write a new version of a policy", status_code=201, response_model=VersionView
)
async def write_version(policy_id: PolicyPath, draft: Draft, write: WriteOnce, who: Moderator) -> Response:
    """Nothing changes before the version is activated. The first version makes the policy."""

    async def use_case(work: Work) -> WriteResult:
        version = await handlers.write_version(work, policy_id, draft.rules, draft.note, who.id)
        return WriteResult(_version(version), location=f"/api/v1/policies/{policy_id}/versions/{version.number}")

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise unfit(error) from None


@router.put(
    "/{policy_id}/versions/{number}",
    summary="Edit a version of a policy that was never in force",
    response_model=VersionView,
)
async def edit_version(place: Place, draft: Draft, seen: IfMatch, write: WriteOnce, who: Moderator) -> Response:
    """It is a draft again: an approval of what it said before is void. If-Match takes the ETag of the policy."""
    wish = WriteVersionCommand(changes_of(draft.rules), draft.note, who.id, {"backtest": None})

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(
            _version(await handlers.edit_version(work, place.document_id, place.number, wish, seen.check))
        )

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise unfit(error) from None


@router.post(
    "/{policy_id}/activation",
    summary="Put a version in force everywhere, within two seconds",
    response_model=PolicyActivated,
)
async def activate(
    policy_id: PolicyPath, wish: Activation, seen: IfMatch, write: WriteOnce, who: Approving
) -> Response:
    """Who activates a version that nobody has approved approves it, and has not written in it.

    An older version is activated again with a reason, by anybody if it was approved.
    """
    order = ActivateVersionCommand(wish.version, who.id, wish.reason, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        head = await handlers.activate_version(work, policy_id, order, seen.check)
        version = await POLICIES.get_version(work, policy_id, wish.version)
        activated = PolicyActivated(**_head(head).model_dump(), backtest=_backtest(version))
        return WriteResult(activated, version=head.revision)

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise unfit(error) from None


def differences_view(found: Sequence[Difference]) -> list[DifferenceView]:
    """The values that differ, each under the path where it stands in the rules."""
    return [DifferenceView(path="/".join(each.path), old=each.old, new=each.new) for each in found]


def _head(head: VersionHead) -> PolicyView:
    return PolicyView(
        id=head.document_id,
        latest=head.latest,
        active=head.active,
        revision=head.revision,
        updated_at=head.updated_at,
    )


def _version(version: Version) -> VersionView:
    return VersionView(
        policy_id=version.document_id,
        version=version.number,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        rules=dict(version.content),
        backtest=_backtest(version),
        **approval_view(version.approval, version.content_hash).model_dump(),
    )


def _backtest(version: Version) -> BacktestNote | None:
    note = version.details.get("backtest")
    return BacktestNote(**note) if note else None

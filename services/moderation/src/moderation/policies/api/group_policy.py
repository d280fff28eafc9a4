"""The policy of one group: what holds there and where each value comes from; rules of the group's own."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.store import Reader
from huiqun.versions.api import (
    VERSION_PROBLEMS,
    ActivationReason,
    ApprovalView,
    NumberPath,
    VersionPath,
    VersionRoutes,
    approval_view,
)
from huiqun.versions.model import ActivateVersionCommand, Version
from huiqun.web import IfMatch, Page, Paging, ReadDatabase, Router, WriteOnce, WriteResult, set_etag
from huiqun.work import Work
from moderation.policies import handlers
from moderation.policies.api.groups import GroupPath
from moderation.policies.api.policies import Approving, DifferenceView, differences_view
from moderation.policies.api.unfit import unfit
from moderation.policies.handlers import OWN_RULES, GroupPolicy, OwnRulesCommand, UnfitPolicyError, UnknownOwnRulesError
from moderation.policies.model import Rules, explain

router = Router(
    "/api/v1/groups/{group_id}/policy",
    tag="groups",
    role="viewer",
    problems={**VERSION_PROBLEMS, UnknownOwnRulesError: (404, "unknown-version")},
)

Reason = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=1_000)]


def place_of(group_id: GroupPath, number: NumberPath) -> VersionPath:
    """The version that the path names."""
    return VersionPath(group_id, number)


VersionRoutes(OWN_RULES, "a group's own rules", "/versions/{number}", place_of, "moderator").add_to(router)


class OriginView(BaseModel):
    """A value of the rules, and who says it."""

    path: str = Field(description="Where it stands in the rules.", examples=["quota/per_day"])
    value: Any = Field(description="The value.", examples=[5])
    source: str = Field(
        description="Who says it: built_in, a policy's version, or the group itself.", examples=["vip@3"]
    )


class GroupPolicyView(BaseModel):
    """The rules of a group, value by value."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    policy: str = Field(
        description="How decisions name it: policy and version, +d the default's it inherits from, +g own rules.",
        examples=["vip@3+d2+g2"],
    )
    layers: list[str] = Field(
        description="What it is made of; each says what is to be other than before.",
        examples=[["built_in", "default@2", "vip@3", "group"]],
    )
    rules: Rules = Field(description="The rules that the group's messages are judged by.")
    origins: list[OriginView] = Field(description="Where each value comes from.")
    own_rules: dict[str, Any] = Field(
        description="What the group changes for itself.", examples=[{"quota": {"per_day": 8}}]
    )
    own_revision: int = Field(
        description="The version of its own rules in force, 0 if there never was one; it is the ETag, too.",
        examples=[2],
    )
    own_waiting: int | None = Field(
        description="The newest version of its own rules, if that waits for an approval.", examples=[3]
    )


class OwnRulesDraft(BaseModel):
    """What a group is to change in its policy."""

    rules: Rules = Field(description="What is to be other than in the policy; nothing takes all own rules away.")
    reason: Reason = Field(
        description="Why the rules are to be other in this group.", examples=["Launch week in this group only"]
    )


class OwnRulesVersionView(ApprovalView):
    """A version of what a group changes in its policy."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    version: int = Field(description="Number of the version of the group's own rules.", examples=[3])
    note: str = Field(description="Why it was written.", examples=["Launch week in this group only"])
    created_by: str = Field(description="Who wrote it.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="When it was written.", examples=["2026-11-22T08:00:00Z"])
    rules: dict[str, Any] = Field(
        description="What the group changes in its policy.", examples=[{"quota": {"per_day": 8}}]
    )


class OwnRulesComparisonView(BaseModel):
    """What is other under a version of a group's own rules than under what is in force there."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    version: int = Field(description="Number of the version of the group's own rules.", examples=[3])
    differences: list[DifferenceView] = Field(description="The values that differ.")


class OwnRulesActivation(BaseModel):
    """Which version of a group's own rules is to be in force."""

    version: int = Field(ge=1, le=1_000_000, description="Number of the version.", examples=[3])
    reason: ActivationReason = ""


@router.get("", summary="Read the rules of a group, and where each value comes from")
async def read_group_policy(db: ReadDatabase, group_id: GroupPath, response: Response) -> GroupPolicyView:
    """Under the default, the policy assigned to the group, and the group's own rules."""
    found = await handlers.policy_of_group(db, group_id)
    set_etag(response, found.record.own_revision)
    return await _view(db, found)


@router.get("/versions", summary="List the versions of a group's own rules")
async def list_own_rules(db: ReadDatabase, group_id: GroupPath, paging: Paging) -> Page[OwnRulesVersionView]:
    """Newest first, those that wait for an approval among them."""
    found = await OWN_RULES.store.list_versions(db, group_id, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.number,), _version)


@router.get("/versions/{number}", summary="Read one version of a group's own rules")
async def read_own_rules(db: ReadDatabase, group_id: GroupPath, number: NumberPath) -> OwnRulesVersionView:
    """What it says, and how far it has come."""
    return _version(await OWN_RULES.get_version(db, group_id, number))


@router.get("/versions/{number}/diff", summary="Compare a version of a group's own rules with what is in force")
async def compare_own_rules(db: ReadDatabase, group_id: GroupPath, number: NumberPath) -> OwnRulesComparisonView:
    """Value by value, as the group would feel it."""
    found = await handlers.compare_own_rules(db, group_id, number)
    return OwnRulesComparisonView(group_id=group_id, version=number, differences=differences_view(found))


@router.put("", summary="Give a group rules of its own", response_model=GroupPolicyView)
async def write_own_rules(
    group_id: GroupPath, draft: OwnRulesDraft, seen: IfMatch, write: WriteOnce, who: Approving
) -> Response:
    """They stand above the group's policy, whichever version of it is in force, and replace the own rules of before.

    In force once somebody else has activated them (`own_waiting`); without four eyes at once.
    """
    wish = OwnRulesCommand(draft.rules, draft.reason, who.id, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        return await _answer(work, await handlers.write_own_rules(work, group_id, wish, seen.check))

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise unfit(error) from None


@router.post(
    "/activation",
    summary="Put a version of a group's own rules in force, within two seconds",
    response_model=GroupPolicyView,
)
async def activate_own_rules(
    group_id: GroupPath, wish: OwnRulesActivation, seen: IfMatch, write: WriteOnce, who: Approving
) -> Response:
    """Who activates a version that nobody has approved approves it, and has not written in it.

    Going back needs a reason.
    """
    order = ActivateVersionCommand(wish.version, who.id, wish.reason, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        return await _answer(work, await handlers.activate_own_rules(work, group_id, order, seen.check))

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise unfit(error) from None


async def _answer(work: Work, found: GroupPolicy) -> WriteResult:
    return WriteResult(await _view(work, found), version=found.record.own_revision)


async def _view(reader: Reader, found: GroupPolicy) -> GroupPolicyView:
    own = found.record.settings.own
    origins = explain(found.layers, found.policy.rules)
    return GroupPolicyView(
        group_id=found.record.id,
        policy=found.policy.label,
        layers=["built_in", *(layer.source for layer in found.layers)],
        rules=found.policy.rules,
        origins=[OriginView(path="/".join(each.path), value=each.value, source=each.source) for each in origins],
        own_rules=dict(own.changes) if own else {},
        own_revision=found.record.own_revision,
        own_waiting=await handlers.waiting_own_rules(reader, found.record.id),
    )


def _version(version: Version) -> OwnRulesVersionView:
    return OwnRulesVersionView(
        group_id=version.document_id,
        version=version.number,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        rules=dict(version.content),
        **approval_view(version.approval, version.content_hash).model_dump(),
    )

"""The policy of one group: what holds there and where each value comes from; rules of the group's own."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.text import MaskedText
from huiqun.store import Reader
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
from huiqun.versions.model import ActivateVersionCommand, Version
from huiqun.web import IfMatch, Page, Paging, ReadDatabase, Router, WriteOnce, WriteResult, set_etag
from huiqun.work import Work
from moderation.group_policies.handlers import get_group_policy
from moderation.group_policies.model import GroupPolicy
from moderation.own_rules import handlers
from moderation.own_rules.handlers import OWN_RULES
from moderation.own_rules.model import OwnRulesCommand
from moderation.policies.model import InvalidPolicyError
from moderation.policies.sections.layers import list_value_origins
from moderation.policies.sections.rules import Rules

router = Router(
    "/api/v1/groups/{group_id}/policy",
    tag="groups",
    role="viewer",
    problems={
        **VERSION_PROBLEMS,
        InvalidPolicyError: (422, "unfit-policy"),
    },
)

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
Approving = Annotated[Approver, approver_with("moderator")]
Reason = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=1_000)]


def place_of(group_id: GroupPath, number: NumberPath) -> VersionPath:
    """The version that the path names."""
    return VersionPath(group_id, number)


VersionRoutes(OWN_RULES, "a group's own rules", "/versions/{number}", place_of, "moderator").add_to(router)


class ValueOriginView(BaseModel):
    """A value of the rules, and who says it."""

    path: str = Field(description="Where the value stands in the rules.", examples=["quota/per_day"])
    value: Any = Field(description="The value that holds in the group.", examples=[5])
    source: str = Field(
        description="Source of the value: built_in, a policy's version, or the group itself.", examples=["vip@3"]
    )


class GroupPolicyView(BaseModel):
    """The rules of a group, value by value."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    policy: str = Field(
        description="Label of the policy in decisions: policy and version, +d the default's version, +g own rules.",
        examples=["vip@3+d2+g2"],
    )
    layers: list[str] = Field(
        description="Layers that the policy is made of; each says what is to be other than in the one before.",
        examples=[["built_in", "default@2", "vip@3", "group"]],
    )
    rules: Rules = Field(description="The rules that the group's messages are judged by.")
    origins: list[ValueOriginView] = Field(description="Where each value of the rules comes from.")
    own_rules: dict[str, Any] = Field(
        description="What the group changes in its policy, for itself alone.", examples=[{"quota": {"per_day": 8}}]
    )
    own_revision: int = Field(
        description="Number of the version of the group's own rules in force, 0 if there never was one; the ETag, too.",
        examples=[2],
    )
    own_waiting: int | None = Field(
        description="Number of the newest version of the group's own rules, if that waits for an approval.",
        examples=[3],
    )


class OwnRulesDraft(BaseModel):
    """What a group is to change in its policy."""

    rules: Rules = Field(
        description="Rules of the group: what is to be other than in the policy; nothing takes all own rules away."
    )
    reason: Reason = Field(
        description="Why the rules are to be other in this group.", examples=["Launch week in this group only"]
    )


class OwnRulesVersionView(ApprovalView):
    """A version of what a group changes in its policy."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    version: int = Field(description="Number of the version of the group's own rules.", examples=[3])
    note: str = Field(description="Why the version was written.", examples=["Launch week in this group only"])
    created_by: str = Field(description="Principal who wrote the version.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="Moment the version was made.", examples=["2026-11-22T08:00:00Z"])
    rules: dict[str, Any] = Field(
        description="What the group changes in its policy.", examples=[{"quota": {"per_day": 8}}]
    )


class OwnRulesComparisonView(BaseModel):
    """What is other under a version of a group's own rules than under what is in force there."""

    group_id: str = Field(description="The group's id.", examples=["group-1"])
    version: int = Field(description="Number of the version of the group's own rules.", examples=[3])
    differences: list[DifferenceView] = Field(
        description="The values in which the version and what is in force differ."
    )


class OwnRulesActivation(BaseModel):
    """Which version of a group's own rules is to be in force."""

    version: int = Field(ge=1, le=1_000_000, description="Number of the version to activate.", examples=[3])
    reason: ActivationReason = ""


@router.get("", summary="Read the policy of a group, and where each value comes from")
async def read_group_policy(db: ReadDatabase, group_id: GroupPath, response: Response) -> GroupPolicyView:
    """Under the default, the policy assigned to the group, and the group's own rules."""
    found = await get_group_policy(db, group_id)
    set_etag(response, found.context.group.own_revision)
    return await _group_policy_view(db, found)


@router.get("/versions", summary="List the versions of a group's own rules")
async def list_own_rules_versions(db: ReadDatabase, group_id: GroupPath, paging: Paging) -> Page[OwnRulesVersionView]:
    """Newest first, those that wait for an approval among them."""
    found = await OWN_RULES.store.list_versions(db, group_id, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.number,), _version_view)


@router.get("/versions/{number}", summary="Read one version of a group's own rules")
async def read_own_rules_version(db: ReadDatabase, group_id: GroupPath, number: NumberPath) -> OwnRulesVersionView:
    """What it says, and how far it has come."""
    return _version_view(await OWN_RULES.get_version(db, group_id, number))


@router.get("/versions/{number}/diff", summary="Compare a version of a group's own rules with what is in force")
async def compare_own_rules(db: ReadDatabase, group_id: GroupPath, number: NumberPath) -> OwnRulesComparisonView:
    """Value by value, as the group would feel it."""
    found = await handlers.compare_own_rules(db, group_id, number)
    return OwnRulesComparisonView(group_id=group_id, version=number, differences=list_difference_views(found))


@router.put("", summary="Replace a group's own rules", response_model=GroupPolicyView)
async def write_own_rules(
    group_id: GroupPath, draft: OwnRulesDraft, seen: IfMatch, write: WriteOnce, who: Approving
) -> Response:
    """They stand above the group's policy, whichever version of it is in force, and replace the own rules of before.

    In force once somebody else has activated them (`own_waiting`); without four eyes at once.
    """
    command = OwnRulesCommand(draft.rules, draft.reason, who.id, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        return await _answer(work, await handlers.write_own_rules(work, group_id, command, seen.check))

    return await write(use_case)


@router.post(
    "/activation",
    summary="Activate a version of a group's own rules",
    response_model=GroupPolicyView,
)
async def activate_own_rules(
    group_id: GroupPath, activation: OwnRulesActivation, seen: IfMatch, write: WriteOnce, who: Approving
) -> Response:
    """In force within two seconds.

    Who activates a version that nobody has approved approves it, and has not written in it. Going back needs a reason.
    """
    command = ActivateVersionCommand(activation.version, who.id, activation.reason, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        return await _answer(work, await handlers.activate_own_rules(work, group_id, command, seen.check))

    return await write(use_case)


async def _answer(work: Work, found: GroupPolicy) -> WriteResult:
    return WriteResult(await _group_policy_view(work, found), version=found.context.group.own_revision)


async def _group_policy_view(reader: Reader, found: GroupPolicy) -> GroupPolicyView:
    own = found.context.group.settings.own
    origins = list_value_origins(found.layers, found.context.policy.rules)
    return GroupPolicyView(
        group_id=found.context.group.id,
        policy=found.context.policy.label,
        layers=["built_in", *(layer.source for layer in found.layers)],
        rules=found.context.policy.rules,
        origins=[ValueOriginView(path="/".join(each.path), value=each.value, source=each.source) for each in origins],
        own_rules=dict(own.changes) if own else {},
        own_revision=found.context.group.own_revision,
        own_waiting=await handlers.find_waiting_version(reader, found.context.group.id),
    )


def _version_view(version: Version) -> OwnRulesVersionView:
    return OwnRulesVersionView(
        group_id=version.document_id,
        version=version.number,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        rules=dict(version.content),
        **approval_view(version.approval, version.content_hash).model_dump(),
    )

"""Groups: list them, read their settings and the policies they are under, assign policies."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.channel import Capabilities, GroupKind
from huiqun.contracts.envelope import Id
from huiqun.store import Reader
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
from moderation.group_policies import handlers
from moderation.group_policies.model import InactivePolicyError
from moderation.groups.handlers import get_group
from moderation.groups.handlers import list_groups as list_group_records
from moderation.groups.model import GroupRecord
from moderation.policies.model import InheritanceConflictError, PolicyId
from moderation.policies.sections.rules import Rules

router = Router(
    "/api/v1/groups",
    tag="groups",
    role="viewer",
    problems={
        InactivePolicyError: (409, "inactive-policy"),
        InheritanceConflictError: (409, "unfit-heirs"),
    },
)

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
Moderator = Annotated[Principal, require_role("moderator")]


class GroupSummaryView(BaseModel):
    """A group and the policy that was assigned to it."""

    id: str = Field(description="The group's id.", examples=["group-1"])
    known: bool = Field(description="Whether the channel has told us of the group.", examples=[True])
    kind: GroupKind = Field(
        description="private: the conversation of one customer with one member of staff, without quota, welcome and "
        "posted rules.",
        examples=["group"],
    )
    name: str = Field(description="The group's name.", examples=["理财交流一群"])
    owner: str | None = Field(description="The staff member who owns the group.", examples=["staff-7"])
    purpose: str = Field(description="Purpose of the group.", examples=["after_sales"])
    timezone: str = Field(description="The IANA name of the group's time zone.", examples=["Asia/Shanghai"])
    tags: list[str] = Field(description="The group's tags.", examples=[["vip"]])
    capabilities: dict[str, str] = Field(
        description="How the channel carries out each kind of action in the group.",
        examples=[
            {
                "send": "staff_task",
                "send_private": "staff_task",
                "mute": "none",
                "remove": "staff_task",
                "delete": "none",
            }
        ],
    )
    dismissed_at: datetime | None = Field(
        description="Moment the group was dismissed; null if it was not.", examples=["2026-11-22T08:00:00Z"]
    )
    policy_id: str | None = Field(
        description="Id of the policy assigned to the group; null for the default.", examples=["strict"]
    )
    revision: int = Field(description="Revision of the assignment, which rises with each; the ETag, too.", examples=[2])


class EffectivePolicyView(BaseModel):
    """The policy that a group's messages are judged by."""

    id: str = Field(description="The policy's id.", examples=["strict"])
    version: int = Field(description="Number of the version in force; 0 for what comes with Huiqun.", examples=[3])
    source: Literal["assigned", "default", "built_in"] = Field(
        description="Source of the policy: assigned to the group, the default as activated, or built into Huiqun.",
        examples=["assigned"],
    )
    rules: Rules = Field(description="The rules of the policy, inherited ones included.")


class GroupView(GroupSummaryView):
    """A group, its settings and the policy it is under."""

    effective_policy: EffectivePolicyView = Field(description="The policy that the group's messages are judged by.")


class PolicyAssignment(BaseModel):
    """Which policy a group is to have."""

    policy_id: PolicyId | None = Field(
        description="Id of the policy to assign; null for the default.", examples=["strict"]
    )


@router.get("", summary="List the groups")
async def list_groups(db: ReadDatabase, paging: Paging) -> Page[GroupSummaryView]:
    """By id: those the channel has told us of, and those that were given a policy."""
    found = await list_group_records(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda group: (group.id,), _summary_view)


@router.get("/{group_id}", summary="Read a group with its policy")
async def read_group(db: ReadDatabase, group_id: GroupPath, response: Response) -> GroupView:
    """A group that nobody has told us of has the default settings."""
    record = await get_group(db, group_id)
    set_etag(response, record.revision)
    return await _group_view(db, record)


@router.put("/{group_id}", summary="Assign a policy to a group", response_model=GroupView)
async def assign_policy(
    group_id: GroupPath, assignment: PolicyAssignment, seen: IfMatch, write: WriteOnce, who: Moderator
) -> Response:
    """The policy needs a version in force; it holds in the group within two seconds."""

    async def use_case(work: Work) -> WriteResult:
        record = await handlers.assign_policy(work, group_id, assignment.policy_id, seen.check, who.id)
        return WriteResult(await _group_view(work, record), version=record.revision)

    return await write(use_case)


async def _group_view(reader: Reader, record: GroupRecord) -> GroupView:
    policy = await handlers.get_policy_in_force(reader, record.settings)
    if policy.version == 0:
        source: Literal["assigned", "default", "built_in"] = "built_in"
    else:
        source = "assigned" if policy.id == record.settings.policy_id else "default"
    effective = EffectivePolicyView(id=policy.id, version=policy.version, source=source, rules=policy.rules)
    return GroupView(**_summary_view(record).model_dump(), effective_policy=effective)


def _summary_view(record: GroupRecord) -> GroupSummaryView:
    settings = record.settings
    return GroupSummaryView(
        id=record.id,
        known=record.known,
        kind=settings.kind,
        name=record.name,
        owner=settings.owner,
        purpose=record.purpose,
        timezone=settings.timezone.key,
        tags=list(record.tags),
        capabilities={name: settings.capabilities.support_of(name).value for name in Capabilities.model_fields},
        dismissed_at=record.dismissed_at,
        policy_id=settings.policy_id,
        revision=record.revision,
    )

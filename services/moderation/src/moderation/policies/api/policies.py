"""Policies: read them, write a version, put one in force."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.stream import Work
from huiqun.web import (
    Answer,
    FieldError,
    IfMatch,
    Page,
    Paging,
    Principal,
    Problem,
    Router,
    Store,
    WriteOnce,
    requires,
    set_etag,
)
from moderation.policies import handlers
from moderation.policies.handlers import UnfitPolicyError, UnknownPolicyError
from moderation.policies.model import PolicyId, Rules
from moderation.policies.store import Head, Version

router = Router(
    "/api/v1/policies", tag="policies", role="viewer", problems={UnknownPolicyError: (404, "unknown-policy")}
)

PolicyPath = Annotated[PolicyId, Path(description="The policy's id.", examples=["default"])]
NumberPath = Annotated[int, Path(ge=0, le=1_000_000, description="Number of the version.", examples=[3])]
Moderator = Annotated[Principal, requires("moderator")]


class PolicyView(BaseModel):
    """A policy and which of its versions is in force."""

    id: str = Field(description="The policy's id.", examples=["default"])
    latest: int = Field(description="Number of its newest version; 0 for what comes with Huiqun.", examples=[4])
    active: int | None = Field(description="Number of the version in force; null if none is.", examples=[3])
    revision: int = Field(description="Rises with every change; it is the ETag, too.", examples=[7])
    updated_at: datetime | None = Field(description="When it was last changed.", examples=["2026-11-22T08:00:00Z"])


class PolicyInForce(PolicyView):
    """A policy with the rules that are in force."""

    rules: Rules | None = Field(description="The rules of the version in force; null if none is.")


class VersionView(BaseModel):
    """A version of a policy; it never changes."""

    policy_id: str = Field(description="The policy's id.", examples=["default"])
    version: int = Field(description="Number of the version, from 1.", examples=[3])
    note: str = Field(description="Why it was written.", examples=["Campaign week: allow the shop's links"])
    created_by: str = Field(description="Who wrote it.", examples=["key:5f2a9c01d4e8b7a3"])
    created_at: datetime | None = Field(description="When it was written.", examples=["2026-11-22T08:00:00Z"])
    rules: Rules = Field(description="The rules.")


class Draft(BaseModel):
    """What a new version says."""

    rules: Rules = Field(description="The rules; one that is left out has its default, one that is null is off.")
    note: str = Field(default="", max_length=1_000, description="Why it is written.", examples=["Fewer messages a day"])


class Activation(BaseModel):
    """Which version is to be in force."""

    version: int = Field(ge=1, le=1_000_000, description="Number of the version.", examples=[3])


@router.get("", summary="List the policies")
async def list_policies(db: Store, paging: Paging) -> Page[PolicyView]:
    """By id; the default is there even before anybody has written one."""
    found = await handlers.list_heads(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda head: (head.id,), _head)


@router.get("/{policy_id}", summary="Read a policy with the rules in force")
async def read_policy(db: Store, policy_id: PolicyPath, response: Response) -> PolicyInForce:
    """The ETag is what an activation needs as If-Match."""
    head = await handlers.find_head(db, policy_id)
    rules = None if head.active is None else (await handlers.find_version(db, policy_id, head.active)).rules
    set_etag(response, head.revision)
    return PolicyInForce(**_head(head).model_dump(), rules=rules)


@router.get("/{policy_id}/versions", summary="List the versions of a policy")
async def list_versions(db: Store, policy_id: PolicyPath, paging: Paging) -> Page[VersionView]:
    """Newest first."""
    found = await handlers.list_versions(db, policy_id, paging.last(int), paging.limit + 1)
    return paging.page(found, lambda version: (version.version,), _version)


@router.get("/{policy_id}/versions/{number}", summary="Read one version of a policy")
async def read_version(db: Store, policy_id: PolicyPath, number: NumberPath) -> VersionView:
    """Version 0 of the default is what comes with Huiqun."""
    return _version(await handlers.find_version(db, policy_id, number))


@router.post(
    "/{policy_id}/versions", summary="Write a new version of a policy", status_code=201, response_model=VersionView
)
async def write_version(policy_id: PolicyPath, draft: Draft, write: WriteOnce, who: Moderator) -> Response:
    """Nothing changes before the version is activated. The first version makes the policy."""

    async def use_case(work: Work) -> Answer:
        version = await handlers.write_version(work, policy_id, draft.rules, draft.note, who.id)
        return Answer(_version(version), location=f"/api/v1/policies/{policy_id}/versions/{version.version}")

    try:
        return await write(use_case)
    except UnfitPolicyError as error:
        raise _unfit(error) from None


@router.post(
    "/{policy_id}/activation",
    summary="Put a version in force everywhere, within two seconds",
    response_model=PolicyView,
)
async def activate(
    policy_id: PolicyPath, activation: Activation, seen: IfMatch, write: WriteOnce, who: Moderator
) -> Response:
    """An older version may be activated again: that is how a policy is rolled back."""

    async def use_case(work: Work) -> Answer:
        head = await handlers.activate_version(work, policy_id, activation.version, seen.check, who.id)
        return Answer(_head(head), version=head.revision)

    return await write(use_case)


def _head(head: Head) -> PolicyView:
    return PolicyView(
        id=head.id, latest=head.latest, active=head.active, revision=head.revision, updated_at=head.updated_at
    )


def _version(version: Version) -> VersionView:
    return VersionView(
        policy_id=version.policy_id,
        version=version.version,
        note=version.note,
        created_by=version.created_by,
        created_at=version.created_at,
        rules=version.rules,
    )


def _unfit(error: UnfitPolicyError) -> Problem:
    errors = [
        FieldError(
            detail=objection.reason, location="body", pointer="/".join(("#", "rules", *map(str, objection.path)))
        )
        for objection in error.objections
    ]
    return Problem(422, "unfit-policy", f"The rules make no sense: {error}", errors=errors)

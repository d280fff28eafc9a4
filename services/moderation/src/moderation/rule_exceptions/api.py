"""Exceptions to rules: ask for one, approve it, take it back, see which there are."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import ComparedText, MaskedText
from huiqun.versions.api import VERSION_PROBLEMS, ApprovalBody, ApprovalView, Approver, approval_view, approver_with
from huiqun.versions.model import ApproveVersionCommand
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.rule_exceptions import handlers
from moderation.rule_exceptions.model import (
    ExceptionGrant,
    InvalidRuleExceptionError,
    RuleExceptionCommand,
)

router = Router(
    "/api/v1/exceptions",
    tag="exceptions",
    role="viewer",
    problems={
        **VERSION_PROBLEMS,
        InvalidRuleExceptionError: (422, "unfit-exception"),
    },
)

ExceptionPath = Annotated[
    Id, Path(description="The exception's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
]
GroupId = Annotated[Id | None, Query(description="Id of the group whose exceptions are listed.", examples=["group-1"])]
Moderator = Annotated[Principal, require_role("moderator")]
Approving = Annotated[Approver, approver_with("moderator")]
RuleName = Annotated[str, ComparedText(pattern=r"^[a-z_]{1,32}(/[\w-]{1,64})?$")]
Reason = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=1_000)]


class RuleExceptionRequest(BaseModel):
    """From which rule somebody is to be excepted, until when, and why."""

    group_id: Id = Field(description="Id of the group.", examples=["group-1"])
    member_id: Id | None = Field(
        default=None, description="Id of the member; null for the whole group.", examples=["u-7"]
    )
    rule: RuleName = Field(
        description="Name of the rule, as in reasons; lexicon/ads for one category of words.", examples=["links"]
    )
    until: Instant = Field(
        description="Moment the exception is to end, within a year.", examples=["2026-12-01T00:00:00+08:00"]
    )
    reason: Reason = Field(
        description="Why the exception is asked for.", examples=["Speaker of the campaign, sends the shop's links"]
    )


class RuleExceptionView(ApprovalView):
    """An exception to a rule; it holds once it is approved."""

    id: str = Field(description="The exception's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    group_id: str = Field(description="Id of the group.", examples=["group-1"])
    member_id: str | None = Field(description="Id of the member; null for the whole group.", examples=["u-7"])
    rule: str = Field(description="Name of the rule, or lexicon/ads for one category of words.", examples=["links"])
    until: datetime = Field(description="Moment the exception ends.", examples=["2026-12-01T00:00:00Z"])
    reason: str = Field(description="Why the exception was asked for.", examples=["Speaker of the campaign"])
    granted_by: str = Field(description="Principal who asked for the exception.", examples=["key:5f2a9c01d4e8b7a3"])
    granted_at: datetime = Field(description="Moment the exception was asked for.", examples=["2026-11-22T08:00:00Z"])
    revoked_by: str | None = Field(
        description="Principal who revoked the exception; null if nobody has.", examples=["key:77aa01d4e8b7"]
    )
    revoked_at: datetime | None = Field(
        description="Moment the exception was revoked; null if it was not.", examples=["2026-11-25T08:00:00Z"]
    )


@router.get("", summary="List the exceptions to rules")
async def list_exceptions(db: ReadDatabase, paging: Paging, group_id: GroupId = None) -> Page[RuleExceptionView]:
    """Newest first, also those that wait for an approval, have ended or were taken back."""
    found = await handlers.list_exceptions(db, group_id, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda grant: (grant.id,), _exception_view)


@router.get("/{exception_id}", summary="Read an exception to a rule")
async def read_exception(db: ReadDatabase, exception_id: ExceptionPath) -> RuleExceptionView:
    """With who asked for it, who approved it, and who took it back."""
    return _exception_view(await handlers.get_exception(db, exception_id))


@router.post("", summary="Request an exception to a rule", status_code=201, response_model=RuleExceptionView)
async def request_exception(wanted: RuleExceptionRequest, write: WriteOnce, who: Approving) -> Response:
    """It holds for a member or a whole group once somebody else has approved it; without four eyes at once."""
    command = RuleExceptionCommand(wanted.group_id, wanted.member_id, wanted.rule, wanted.until, wanted.reason)

    async def use_case(work: Work) -> WriteResult:
        grant = await handlers.request_exception(work, command, who.id, four_eyes=who.four_eyes)
        return WriteResult(_exception_view(grant), location=f"/api/v1/exceptions/{grant.id}")

    return await write(use_case)


@router.post("/{exception_id}/approval", summary="Approve an exception to a rule", response_model=RuleExceptionView)
async def approve_exception(
    exception_id: ExceptionPath, approval: ApprovalBody, write: WriteOnce, who: Approving
) -> Response:
    """In force everywhere within two seconds, for what is sent before it ends. Not by who asked for it."""
    command = ApproveVersionCommand(who.id, approval.content_hash, who.four_eyes)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_exception_view(await handlers.approve_exception(work, exception_id, command)))

    return await write(use_case)


@router.delete("/{exception_id}", summary="Revoke an exception to a rule", response_model=RuleExceptionView)
async def revoke_exception(exception_id: ExceptionPath, write: WriteOnce, who: Moderator) -> Response:
    """The rule holds again within two seconds; what was let through stays as it was. A request is given up."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_exception_view(await handlers.revoke_exception(work, exception_id, who.id)))

    return await write(use_case)


def _exception_view(grant: ExceptionGrant) -> RuleExceptionView:
    return RuleExceptionView(
        id=grant.id,
        group_id=grant.group_id,
        member_id=grant.exception.member_id,
        rule=grant.exception.rule,
        until=grant.exception.until,
        reason=grant.reason,
        granted_by=grant.granted_by,
        granted_at=grant.granted_at,
        revoked_by=grant.revoked_by,
        revoked_at=grant.revoked_at,
        **approval_view(grant.approval, grant.content_hash).model_dump(),
    )

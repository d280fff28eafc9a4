"""Reports on the roster of a group: read them, have one made now."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import Path, Request, Response
from pydantic import BaseModel, Field

from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.envelope import Id
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.membership.handlers.checks import RosterChecks
from moderation.membership.model.checks import Irregularity, RosterReport
from moderation.membership.store import staff as store

router = Router("/api/v1/groups/{group_id}/roster-reports", tag="membership", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
Moderator = Annotated[Principal, require_role("moderator")]


class FindingView(BaseModel):
    """A member who should be looked at."""

    kind: Irregularity = Field(description="What is wrong.", examples=["unknown_staff"])
    member_id: str = Field(description="The member's id.", examples=["staff-9"])
    detail: str = Field(
        description="When a staff member left; the word for staff in a name, or the id of the staff member who has it.",
        examples=["官方"],
    )


class ReportView(BaseModel):
    """What a check of a roster found."""

    id: str = Field(description="The report's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    group_id: str = Field(description="The group.", examples=["group-1"])
    checked_at: datetime = Field(description="When it was checked.", examples=["2026-11-23T01:00:00Z"])
    members: int = Field(description="How many were in the group.", examples=[182])
    staff: int = Field(description="How many of them as staff.", examples=[4])
    listed: int = Field(
        description="How many stood on the list of authorised staff; with 0, only names were checked.", examples=[320]
    )
    findings: list[FindingView] = Field(description="Who should be looked at.")


@router.get("", summary="List what checks of a group's roster found")
async def list_reports(db: ReadDatabase, group_id: GroupPath, paging: Paging) -> Page[ReportView]:
    """Newest first."""
    found = await store.reports(db, group_id, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda report: (report.id,), _report)


@router.post("", summary="Check a group's roster now", status_code=201, response_model=ReportView)
async def check_roster(request: Request, group_id: GroupPath, write: WriteOnce, who: Moderator) -> Response:
    """Against the list of authorised staff; the group's owner is told if there is anything to look at."""

    checks = RosterChecks(cast("Directory", request.app.state.directory))

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_report(await checks.check_now(work, group_id, who.id)))

    return await write(use_case)


def _report(report: RosterReport) -> ReportView:
    findings = [
        FindingView(
            kind=finding.kind,
            member_id=finding.member_id,
            detail=finding.detail,
        )
        for finding in report.findings
    ]
    return ReportView(
        id=report.id,
        group_id=report.group_id,
        checked_at=report.checked_at,
        members=report.members,
        staff=report.staff,
        listed=report.listed,
        findings=findings,
    )

"""Routes of a group's members, and of the reports on its roster: read them, have one made now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.audit.reading import ReadsNames
from huiqun.channel.directory import store as directory_store
from huiqun.channel.directory.handlers import Directory
from huiqun.channel.directory.model import DirectoryMember
from huiqun.contracts.channel import Role
from huiqun.contracts.envelope import Id
from huiqun.web import (
    Page,
    PageRequest,
    Paging,
    Principal,
    Problem,
    ReadDatabase,
    Router,
    WriteOnce,
    WriteResult,
    require_role,
)
from huiqun.web.provided import provided
from huiqun.work import Work
from moderation.consent.handlers import list_consent_states
from moderation.consent.model import ConsentState, has_agreed
from moderation.group_policies.handlers import get_group_context
from moderation.members import store
from moderation.members.handlers import RosterChecks
from moderation.members.model import Irregularity, RosterReport
from moderation.policies.sections.membership import MembershipRules

router = Router("/api/v1/groups/{group_id}/members", tag="members", role="viewer")
reports_router = Router("/api/v1/groups/{group_id}/roster-reports", tag="members", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
MemberPath = Annotated[Id, Path(description="The member's id.", examples=["member-1"])]
Present = Annotated[
    bool | None,
    Query(description="Whether to list only who is in the group, or only who left; both without it.", examples=[True]),
]
Moderator = Annotated[Principal, require_role("moderator")]


class MemberView(BaseModel):
    """Somebody in a group, or who was there."""

    member_id: str = Field(description="The member's id.", examples=["member-1"])
    role: Role = Field(description="The member's role in the group.", examples=["customer"])
    display_name: str = Field(description="The name that the member goes by.", examples=["李女士"])
    present: bool = Field(description="Whether the member is in the group.", examples=[True])
    joined_at: datetime | None = Field(
        description="Moment the member last joined the group; null if nobody said.", examples=["2026-11-22T08:00:00Z"]
    )
    invited_by: str | None = Field(description="The id of whoever invited the member.", examples=["staff-7"])
    scene: str | None = Field(description="How the member came into the group.", examples=["qr"])
    left_at: datetime | None = Field(
        description="Moment the member left the group; null while present.", examples=["2026-11-29T08:00:00Z"]
    )
    left_reason: str | None = Field(
        description="Why the member is gone: `left` or `removed`; null while present.", examples=["left"]
    )
    consented: bool = Field(
        description="Whether the member has agreed to what the rules of the group ask for now.", examples=[True]
    )
    consented_to: str | None = Field(
        description="The version of the rules that the member last agreed to.", examples=["9f86d081884c"]
    )
    consented_at: datetime | None = Field(
        description="Moment the member last agreed to the rules.", examples=["2026-11-22T08:05:00Z"]
    )
    asked_at: datetime | None = Field(
        description="Moment the member was last asked to agree to the rules.", examples=["2026-11-22T08:00:30Z"]
    )


class RosterFindingView(BaseModel):
    """A member who should be looked at."""

    kind: Irregularity = Field(description="What is irregular about the member.", examples=["unknown_staff"])
    member_id: str = Field(description="The member's id.", examples=["staff-9"])
    detail: str = Field(
        description="Day a member of staff left, the word for staff in a name, or id of the colleague with the name.",
        examples=["官方"],
    )


class RosterReportView(BaseModel):
    """What a check of a roster found."""

    id: str = Field(description="The report's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    group_id: str = Field(description="The id of the group whose roster was checked.", examples=["group-1"])
    checked_at: datetime = Field(description="Moment the roster was checked.", examples=["2026-11-23T01:00:00Z"])
    members: int = Field(description="Number of members in the group.", examples=[182])
    staff: int = Field(description="Number of the members who were there as staff.", examples=[4])
    listed: int = Field(
        description="Number of people on the list of authorised staff; with 0, only names were checked.", examples=[320]
    )
    findings: list[RosterFindingView] = Field(description="The members who should be looked at.")


ProvidedDirectory = Annotated[Directory, provided(Directory)]


class MemberPresenter:
    """Shows members as the directory has them, with what they agreed to."""

    def __init__(self, db: ReadDatabase, directory: ProvidedDirectory) -> None:
        self._db = db
        self._directory = directory

    async def list_members(self, group_id: str, paging: PageRequest, *, present: bool | None) -> list[DirectoryMember]:
        """List a page of the members of a group by id, and one more if there are more."""
        after, limit = paging.last(str), paging.limit + 1
        return await directory_store.list_members(self._db, group_id, present=present, after=after, limit=limit)

    async def show_members(self, group_id: str, members: Sequence[DirectoryMember]) -> Mapping[str, MemberView]:
        """Return what is shown of members of a group, by key."""
        rules = (await get_group_context(self._db, group_id)).rules.membership
        states = await list_consent_states(self._db, members)
        details = await self._directory.reveal_personal_details(members)
        return {
            member.key: _member_view(member, details[member.key].display_name, states[member.key], rules)
            for member in members
        }


Presenter = Annotated[MemberPresenter, Depends()]


@router.get("", summary="List the members of a group")
async def list_members(
    presenter: Presenter, group_id: GroupPath, paging: Paging, reading: ReadsNames, present: Present = None
) -> Page[MemberView]:
    """By id. Who left is kept for 400 days. The reading is audited, because it shows names."""
    found = await presenter.list_members(group_id, paging, present=present)
    if found:
        await reading.record(f"group/{group_id}/members", members=min(len(found), paging.limit))
    shown = await presenter.show_members(group_id, found)
    return paging.page(found, lambda member: (member.member_id,), lambda member: shown[member.key])


@router.get("/{member_id}", summary="Read a member of a group")
async def read_member(
    db: ReadDatabase, presenter: Presenter, group_id: GroupPath, member_id: MemberPath, reading: ReadsNames
) -> MemberView:
    """404 for who was never heard of there. The reading is audited, because it shows a name."""
    member = await directory_store.find_member(db, group_id, member_id)
    if member is None:
        raise Problem(404, "not-found", f"Nobody of the id {member_id} is known in {group_id}.")
    await reading.record(f"group/{group_id}/members", member=member_id)
    return (await presenter.show_members(group_id, [member]))[member.key]


@reports_router.get("", summary="List the roster reports of a group")
async def list_roster_reports(db: ReadDatabase, group_id: GroupPath, paging: Paging) -> Page[RosterReportView]:
    """Newest first; each is kept for five years."""
    found = await store.list_roster_reports(db, group_id, before=paging.last(str), limit=paging.limit + 1)
    return paging.page(found, lambda report: (report.id,), _report_view)


@reports_router.post("", summary="Check the roster of a group now", status_code=201, response_model=RosterReportView)
async def check_roster(directory: ProvidedDirectory, group_id: GroupPath, write: WriteOnce, who: Moderator) -> Response:
    """Against the list of authorised staff; the group's owner is told if there is anything to look at."""
    checks = RosterChecks(directory)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_report_view(await checks.check_roster_now(work, group_id, who.id)))

    return await write(use_case)


def _member_view(member: DirectoryMember, name: str, state: ConsentState, rules: MembershipRules) -> MemberView:
    return MemberView(
        member_id=member.member_id,
        role=member.role or Role.CUSTOMER,
        display_name=name,
        present=member.is_present,
        joined_at=member.joined_at,
        invited_by=member.arrived.value.invited_by if member.arrived else None,
        scene=member.arrived.value.scene if member.arrived else None,
        left_at=member.left_at,
        left_reason=member.left_reason.value if member.left_reason else None,
        consented=has_agreed(state, rules),
        consented_to=state.agreed_to,
        consented_at=state.agreed_at,
        asked_at=state.asked_at,
    )


def _report_view(report: RosterReport) -> RosterReportView:
    findings = [
        RosterFindingView(kind=finding.kind, member_id=finding.member_id, detail=finding.detail)
        for finding in report.findings
    ]
    return RosterReportView(
        id=report.id,
        group_id=report.group_id,
        checked_at=report.checked_at,
        members=report.members,
        staff=report.staff,
        listed=report.listed,
        findings=findings,
    )

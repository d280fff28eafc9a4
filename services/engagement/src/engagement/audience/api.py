"""Read how active the members of a group are."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from engagement.audience import store
from engagement.audience.model import Activity
from huiqun.channel.directory.model import DirectoryMember
from huiqun.channel.directory.store import find_member, list_members
from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import Verdict
from huiqun.web import Page, Paging, Problem, ReadDatabase, Router

router = Router("/api/v1/groups/{group_id}/activity", tag="audience", role="viewer")

GroupId = Annotated[str, Path(description="The group's id.", examples=["group-1"], max_length=128)]
MemberId = Annotated[str, Path(description="The member's id.", examples=["member-1"], max_length=128)]


class MemberActivityView(BaseModel):
    """How active a member of a group is."""

    member_id: str = Field(description="The member's id.", examples=["member-1"])
    role: Role | None = Field(description="Role of the member in the group; null if unknown.", examples=["customer"])
    present: bool = Field(description="Whether the member is in the group.", examples=[True])
    joined_at: datetime | None = Field(
        description="Moment the member last joined; null if unknown.", examples=["2026-11-22T08:00:00Z"]
    )
    left_at: datetime | None = Field(description="Moment the member last left; null if never.", examples=[None])
    first_seen: datetime | None = Field(
        description="Moment the member first joined or wrote.", examples=["2026-11-22T08:00:00Z"]
    )
    last_seen: datetime | None = Field(
        description="Moment the member last joined or wrote.", examples=["2026-11-22T09:00:00Z"]
    )
    days: dict[date, int] = Field(
        description="Allowed messages per day of the group's calendar, in the latest 90 days.",
        examples=[{"2026-11-22": 3}],
    )
    verdicts: dict[Verdict, int] = Field(
        description="All messages by what was decided on them.", examples=[{"allow": 3, "block": 1}]
    )


@router.get("", summary="List the activity of a group's members, by member id")
async def list_activity(db: ReadDatabase, group_id: GroupId, paging: Paging) -> Page[MemberActivityView]:
    """A group that nobody has told us of has no members."""
    (after,) = paging.after(str) or ("",)
    members = await list_members(db, group_id, after=str(after), limit=paging.limit + 1)
    known = await store.find_activities(db, [member.key for member in members])
    return paging.page(members, lambda member: (member.member_id,), lambda member: _shown(member, known))


@router.get("/{member_id}", summary="Read the activity of one member of a group")
async def read_activity(db: ReadDatabase, group_id: GroupId, member_id: MemberId) -> MemberActivityView:
    """404 when the member has never come to the group nor written in it."""
    member = await find_member(db, group_id, member_id)
    if member is None:
        raise Problem(404, "not-found", "Nobody of this id has come to this group or written in it.")
    return _shown(member, await store.find_activities(db, [member.key]))


def _shown(member: DirectoryMember, known: Mapping[str, Activity]) -> MemberActivityView:
    activity = known.get(member.key) or Activity(member.group_id, member.member_id)
    return MemberActivityView(
        member_id=member.member_id,
        role=member.role,
        present=member.is_present,
        joined_at=member.joined_at,
        left_at=member.last_left_at,
        first_seen=activity.first_seen,
        last_seen=activity.last_seen,
        days=activity.days,
        verdicts=activity.verdicts,
    )

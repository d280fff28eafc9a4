"""Read who of a group may be asked, and why the others may not."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from huiqun.web import Page, Paging, Problem, ReadDatabase, Router
from survey.eligibility import store
from survey.eligibility.model import Eligibility, Obstacle

router = Router("/api/v1/groups/{group_id}/eligibility", tag="eligibility", role="viewer")

GroupId = Annotated[str, Path(description="The group's id.", examples=["group-1"], max_length=128)]
MemberId = Annotated[str, Path(description="The member's id.", examples=["member-1"], max_length=128)]


class MemberEligibilityView(BaseModel):
    """Whether a member of a group may be asked now."""

    member_id: str = Field(description="The member's id.", examples=["member-1"])
    eligible: bool = Field(description="Whether the member may be asked now.", examples=[True])
    reason: Obstacle | None = Field(
        description="Obstacle to asking the member; null if there is none.", examples=["silent"]
    )
    eligible_until: datetime | None = Field(
        description="Moment the eligibility ends if the member writes no more.", examples=["2027-02-20T08:00:00Z"]
    )
    wrote_at: datetime | None = Field(
        description="Moment the member's latest allowed message was written.", examples=["2026-11-22T08:00:00Z"]
    )


@router.get("", summary="List the eligibility of a group's members, by member id")
async def list_eligibility(db: ReadDatabase, group_id: GroupId, paging: Paging) -> Page[MemberEligibilityView]:
    """A group that nobody has told us of has no members."""
    (after,) = paging.after(str) or ("",)
    found = await store.list_group_eligibility(db, group_id, str(after), paging.limit + 1)
    return paging.page(found, lambda record: (record.member_id,), _shown)


@router.get("/{member_id}", summary="Read the eligibility of one member of a group")
async def read_eligibility(db: ReadDatabase, group_id: GroupId, member_id: MemberId) -> MemberEligibilityView:
    """404 when the member has never come to the group nor written in it."""
    record = await store.find_eligibility(db, group_id, member_id)
    if record is None:
        raise Problem(404, "not-found", "Nobody of this id has come to this group or written in it.")
    return _shown(record)


def _shown(record: Eligibility) -> MemberEligibilityView:
    obstacle = record.obstacle(datetime.now(UTC))
    return MemberEligibilityView(
        member_id=record.member_id,
        eligible=obstacle is None,
        reason=obstacle,
        eligible_until=record.eligible_until,
        wrote_at=record.wrote_at,
    )

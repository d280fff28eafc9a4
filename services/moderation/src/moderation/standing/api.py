"""A member's standing in a group: offences, score, rung."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.web import Problem, ReadDatabase, Router
from moderation.policies.handlers import find_group, policy_in_force
from moderation.standing import store
from moderation.standing.model import Standing, current_rung, score, scores

router = Router("/api/v1/groups/{group_id}/members/{member_id}/standing", tag="standing", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
MemberPath = Annotated[Id, Path(description="The member's id.", examples=["member-1"])]


class StrikeView(BaseModel):
    """An offence."""

    message_id: str = Field(description="The message that was the offence.", examples=["msg-1"])
    category: str = Field(description="What it was about.", examples=["ads"])
    weight: float = Field(description="What it counted when it happened.", examples=[2.0])
    at: datetime = Field(description="When it happened.", examples=["2026-11-22T08:00:00Z"])
    rung: int = Field(description="The rung it led to; 0 for none of its own.", examples=[1])


class StandingView(BaseModel):
    """Where a member stands in a group now."""

    group_id: str = Field(description="The group.", examples=["group-1"])
    member_id: str = Field(description="The member.", examples=["member-1"])
    score: float = Field(description="What the offences still count.", examples=[1.87])
    scores: dict[str, float] = Field(description="The same by category.", examples=[{"ads": 1.5, "quota": 0.37}])
    rung: int = Field(description="0 none, 1 warned, 2 to 4 muted, 5 proposed for removal.", examples=[1])
    muted_until: datetime | None = Field(description="When the last mute ends.", examples=["2026-11-22T08:10:00Z"])
    messages_today: int = Field(description="Messages on the group's calendar day.", examples=[3])
    strikes: list[StrikeView] = Field(description="The offences that still count, oldest first.")


@router.get("", summary="Read where a member stands in a group")
async def read_standing(db: ReadDatabase, group_id: GroupPath, member_id: MemberPath) -> StandingView:
    """By the ladder of the policy that the group is under now."""
    found = await store.find(db, group_id, member_id)
    if found is None:
        raise Problem(404, "unknown-member", f"Nobody of the id {member_id} has written in {group_id}.")
    settings = (await find_group(db, group_id)).settings
    ladder = (await policy_in_force(db, settings)).rules.ladder
    now = datetime.now(UTC)
    today = now.astimezone(settings.timezone).toordinal()
    return StandingView(
        group_id=group_id,
        member_id=member_id,
        score=round(score(found.strikes, ladder, now), 3),
        scores={category: round(points, 3) for category, points in scores(found.strikes, ladder, now).items()},
        rung=current_rung(found.strikes, ladder, now),
        muted_until=found.muted_until,
        messages_today=found.counted if found.day == today else 0,
        strikes=_strikes(found),
    )


def _strikes(standing: Standing) -> list[StrikeView]:
    return [
        StrikeView(
            message_id=strike.message_id,
            category=strike.category,
            weight=strike.weight,
            at=strike.at,
            rung=strike.rung,
        )
        for strike in standing.strikes
    ]

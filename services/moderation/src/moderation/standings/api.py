"""A member's standing in a group: offences, score, rung."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.web import Problem, ReadDatabase, Router
from moderation.group_policies.handlers import get_group_context
from moderation.standings import handlers
from moderation.standings.model import Standing, current_rung, score_by_category, score_strikes

router = Router("/api/v1/groups/{group_id}/members/{member_id}/standing", tag="standing", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
MemberPath = Annotated[Id, Path(description="The member's id.", examples=["member-1"])]


class StrikeView(BaseModel):
    """An offence that counts against a member."""

    message_id: str = Field(description="The message that was the offence.", examples=["msg-1"])
    category: str = Field(description="The category of the offence.", examples=["ads"])
    weight: float = Field(description="What the offence counted when it happened.", examples=[2.0])
    at: datetime = Field(description="The time of the offence.", examples=["2026-11-22T08:00:00Z"])
    rung: int = Field(
        description="The rung of the ladder that the offence led to; 0 for none of its own.", examples=[1]
    )


class StandingView(BaseModel):
    """Where a member stands in a group now."""

    group_id: str = Field(description="The id of the group.", examples=["group-1"])
    member_id: str = Field(description="The id of the member.", examples=["member-1"])
    score: float = Field(description="The sum of what the offences still count.", examples=[1.87])
    scores: dict[str, float] = Field(
        description="What the offences still count, by category.", examples=[{"ads": 1.5, "quota": 0.37}]
    )
    rung: int = Field(
        description="The rung of the ladder: 0 none, 1 warned, 2 to 4 muted, 5 proposed for removal.", examples=[1]
    )
    muted_until: datetime | None = Field(description="The end of the longest mute.", examples=["2026-11-22T08:10:00Z"])
    messages_today: int = Field(
        description="Number of messages that the member has sent on the group's calendar day.", examples=[3]
    )
    strikes: list[StrikeView] = Field(description="The offences that still count, oldest first.")


@router.get("", summary="Read a member's standing in a group")
async def read_standing(db: ReadDatabase, group_id: GroupPath, member_id: MemberPath) -> StandingView:
    """Score and rung are those of the ladder of the policy that the group is under now."""
    found = await handlers.find_standing(db, group_id, member_id)
    if found is None:
        raise Problem(404, "not-found", f"Nobody of the id {member_id} has written in {group_id}.")
    context = await get_group_context(db, group_id)
    ladder = context.rules.ladder
    now = datetime.now(UTC)
    today = now.astimezone(context.group.settings.timezone).toordinal()
    return StandingView(
        group_id=group_id,
        member_id=member_id,
        score=round(score_strikes(found.strikes, ladder, now), 3),
        scores={
            category: round(points, 3) for category, points in score_by_category(found.strikes, ladder, now).items()
        },
        rung=current_rung(found.strikes, ladder, now),
        muted_until=found.muted_until,
        messages_today=found.counted if found.day == today else 0,
        strikes=_strike_views(found),
    )


def _strike_views(standing: Standing) -> list[StrikeView]:
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

"""Routes of patrols: what they found in a group, and a patrol now."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import Verdict
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.patrols import store
from moderation.patrols.handlers import run_patrol
from moderation.patrols.model import Patrol

router = Router("/api/v1/groups/{group_id}/patrols", tag="cases", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
Operator = Annotated[Principal, require_role("operator")]


class PatrolView(BaseModel):
    """What a patrol of a group found."""

    id: str = Field(description="The patrol's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    group_id: str = Field(description="The id of the group that was patrolled.", examples=["group-1"])
    since: datetime = Field(
        description="The time from which on messages were looked at.", examples=["2026-11-22T01:00:00Z"]
    )
    at: datetime = Field(description="The time of the patrol.", examples=["2026-11-22T10:00:00Z"])
    judged: dict[Verdict, int] = Field(
        description="Number of judged messages, by verdict.", examples=[{"allow": 120, "block": 3}]
    )
    waiting: int = Field(description="Number of the group's cases that wait for a decision.", examples=[2])
    overdue: int = Field(description="Number of the waiting cases that should have been decided by then.", examples=[1])
    oldest: datetime | None = Field(
        description="The time since which the oldest case waits.", examples=["2026-11-22T02:30:00Z"]
    )
    open_actions: int = Field(description="Number of actions in the group without an outcome yet.", examples=[0])


@router.get("", summary="List the patrols of a group")
async def list_patrols(db: ReadDatabase, group_id: GroupPath, paging: Paging) -> Page[PatrolView]:
    """Newest first. Patrols are kept for 400 days."""
    found = await store.list_patrols(db, group_id, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda patrol: (patrol.id,), _patrol_view)


@router.post("", summary="Patrol a group now", status_code=201, response_model=PatrolView)
async def patrol_group(group_id: GroupPath, write: WriteOnce, who: Operator) -> Response:
    """Looks at what was sent since the last patrol; the group's owner is told if there is anything to tell."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_patrol_view(await run_patrol(work, group_id, who.id)))

    return await write(use_case)


def _patrol_view(patrol: Patrol) -> PatrolView:
    return PatrolView(
        id=patrol.id,
        group_id=patrol.group_id,
        since=patrol.since,
        at=patrol.at,
        judged=dict(patrol.judged),
        waiting=patrol.waiting,
        overdue=patrol.overdue,
        oldest=patrol.oldest,
        open_actions=patrol.open_actions,
    )

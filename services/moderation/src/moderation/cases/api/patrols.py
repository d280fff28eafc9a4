"""What patrols of a group found, and a patrol now."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import Verdict
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.cases.handlers.patrolling import go_now
from moderation.cases.model.patrol import Patrol
from moderation.cases.store import patrols

router = Router("/api/v1/groups/{group_id}/patrols", tag="cases", role="viewer")

GroupPath = Annotated[Id, Path(description="The group's id.", examples=["group-1"])]
Operator = Annotated[Principal, require_role("operator")]


class PatrolView(BaseModel):
    """What a patrol found."""

    id: str = Field(description="The patrol's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    group_id: str = Field(description="The group.", examples=["group-1"])
    since: datetime = Field(description="It looked at what was sent from then on.", examples=["2026-11-22T01:00:00Z"])
    at: datetime = Field(description="When it was.", examples=["2026-11-22T10:00:00Z"])
    judged: dict[Verdict, int] = Field(
        description="How many messages were judged how.", examples=[{"allow": 120, "block": 3}]
    )
    waiting: int = Field(description="Cases that wait for a decision.", examples=[2])
    overdue: int = Field(description="How many of them for too long.", examples=[1])
    oldest: datetime | None = Field(description="Since when the oldest waits.", examples=["2026-11-22T02:30:00Z"])
    open_actions: int = Field(description="Actions that have no outcome yet.", examples=[0])


@router.get("", summary="List what patrols of a group found")
async def list_patrols(db: ReadDatabase, group_id: GroupPath, paging: Paging) -> Page[PatrolView]:
    """Newest first; kept for 400 days."""
    found = await patrols.page(db, group_id, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda patrol: (patrol.id,), _view)


@router.post("", summary="Go through a group now", status_code=201, response_model=PatrolView)
async def go(group_id: GroupPath, write: WriteOnce, who: Operator) -> Response:
    """From the last patrol on; the group's owner is told if there is anything to tell."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await go_now(work, group_id, who.id)))

    return await write(use_case)


def _view(patrol: Patrol) -> PatrolView:
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

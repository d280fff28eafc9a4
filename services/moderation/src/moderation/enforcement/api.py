"""Actions that were asked of the channel, and what became of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.links import without_tokens
from huiqun.web import Page, Paging, Problem, Router, Store
from moderation.enforcement import store

router = Router("/api/v1/actions", tag="actions", role="viewer")

State = Literal["requested", "assigned", "completed", "failed", "unsupported", "expired", "withdrawn", "shadow"]
GroupId = Annotated[Id | None, Query(description="Only of this group.", examples=["group-1"])]
InState = Annotated[
    State | Literal["open"] | None,
    Query(description="Only in this state; open is requested or assigned.", examples=["open"]),
]
ActionPath = Annotated[Id, Path(description="The action's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])]


class ActionView(BaseModel):
    """An action that was asked of the channel."""

    id: str = Field(description="The action's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    group_id: str = Field(description="The group.", examples=["group-1"])
    kind: str = Field(description="What was asked for.", examples=["mute_member"])
    state: State = Field(description="What became of it so far.", examples=["assigned"])
    how: Literal["native", "staff_task", "unsupported"] = Field(
        description="By the channel itself, by a person, or not at all.", examples=["staff_task"]
    )
    steps: int = Field(description="How often it was asked for again, reminded of or escalated.", examples=[1])
    member_id: str | None = Field(description="Whom it is about.", examples=["member-1"])
    message_id: str | None = Field(description="Which message it is about.", examples=["msg-1"])
    content: str = Field(
        description="What to send, or what a staff member is asked to do; of a member's own links, only the beginning.",
        examples=["请留意群规"],
    )
    members: list[str] = Field(
        description="Whom the content names: {member:ID} in it stands for the name, which only the channel puts in.",
        examples=[["member-1"]],
    )
    duration_seconds: int | None = Field(description="How long a mute lasts.", examples=[600])
    reason: str = Field(description="Why.", examples=["ads"])
    requested_at: datetime = Field(description="When it was asked for.", examples=["2026-11-22T08:00:00Z"])
    deadline: datetime | None = Field(description="When it is too late.", examples=["2026-11-22T10:00:00Z"])
    settled_at: datetime | None = Field(description="When its state last changed.", examples=["2026-11-22T08:01:00Z"])
    assignee: str | None = Field(description="The staff member who was asked to do it.", examples=["staff-7"])
    detail: str = Field(description="What the channel said.", examples=["The member had left"])


@router.get("", summary="List the actions")
async def list_actions(db: Store, paging: Paging, group_id: GroupId = None, state: InState = None) -> Page[ActionView]:
    """Newest first."""
    found = await store.newest(db, group_id=group_id, state=state, before=paging.last(str), limit=paging.limit + 1)
    return paging.page(found, lambda document: (document["_id"],), _view)


@router.get("/{action_id}", summary="Read one action and what became of it")
async def read_action(db: Store, action_id: ActionPath) -> ActionView:
    """The id is also the channel's idempotency key."""
    found = await store.find(db, action_id)
    if found is None:
        raise Problem(404, "unknown-action", f"There is no action {action_id}.")
    return _view(found)


def _view(document: dict[str, Any]) -> ActionView:
    target = document.get("target", {})
    return ActionView(
        id=document["_id"],
        group_id=document["group_id"],
        kind=document["kind"],
        state=document["state"],
        how=document["how"],
        steps=document["steps"],
        member_id=target.get("member_id"),
        message_id=target.get("message_id"),
        content=without_tokens(document.get("content", "")),
        members=document.get("members", []),
        duration_seconds=document.get("duration_seconds"),
        reason=document.get("reason", ""),
        requested_at=document["requested_at"],
        deadline=document.get("deadline"),
        settled_at=document.get("settled_at"),
        assignee=document.get("assignee"),
        detail=document.get("detail", ""),
    )

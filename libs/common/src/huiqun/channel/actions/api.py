"""Routes of the actions, the same for every service: list, read, withdraw."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.channel.actions import store
from huiqun.channel.actions.handlers import ActionEndedError, ActionNotFoundError, withdraw_action_by_hand
from huiqun.channel.actions.model import ActionState, ExecutionMode, FollowedAction
from huiqun.contracts.channel import ActionKind, CompletionStage, FailureCode
from huiqun.contracts.envelope import Id
from huiqun.privacy.links import redact_link_tokens
from huiqun.privacy.text import MaskedText
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work

router = Router(
    "/api/v1/actions",
    tag="actions",
    role="viewer",
    problems={ActionEndedError: (409, "action-ended")},
)

GroupId = Annotated[Id | None, Query(description="Only of this group.", examples=["group-1"])]
InState = Annotated[
    ActionState | Literal["open"] | None,
    Query(description="Only in this state; open is requested or assigned.", examples=["open"]),
]
ActionPath = Annotated[Id, Path(description="The action's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])]


class ActionView(BaseModel):
    """An action that was asked of the channel."""

    id: str = Field(description="The action's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    group_id: str | None = Field(description="The group; none where a customer is transferred.", examples=["group-1"])
    kind: ActionKind = Field(description="What was asked for.", examples=["mute_member"])
    state: ActionState = Field(description="What became of it so far.", examples=["assigned"])
    how: ExecutionMode = Field(
        description="By the channel itself, by a person, or not at all.", examples=["staff_task"]
    )
    steps: int = Field(
        description="How often it was repeated, reminded of or escalated since it was asked for or assigned.",
        examples=[1],
    )
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
    not_before: datetime | None = Field(
        description="When it may be carried out at the earliest.", examples=["2026-11-22T09:00:00Z"]
    )
    deadline: datetime | None = Field(description="When it is too late.", examples=["2026-11-22T10:00:00Z"])
    retry_at: datetime | None = Field(
        description="When it is tried again after a failure.", examples=["2026-11-23T01:00:00Z"]
    )
    settled_at: datetime | None = Field(description="When its state last changed.", examples=["2026-11-22T08:01:00Z"])
    assignee: str | None = Field(description="The staff member who was asked to do it.", examples=["staff-7"])
    code: FailureCode | None = Field(description="Why it failed, the last time that it did.", examples=["cap"])
    stage: CompletionStage | None = Field(
        description="How far it came: confirmed by a person, or delivered.", examples=["delivered"]
    )
    detail: str = Field(description="What the channel said.", examples=["The member had left"])
    batch_id: str | None = Field(description="The mass message that it is a part of.", examples=["batch-1"])
    notice_of: str | None = Field(
        description="The id of the action that this one only tells somebody of: a reminder, an escalation, a recall.",
        examples=["0192f3c1-7b5e-7abc-8def-0123456789aa"],
    )


class WithdrawalBody(BaseModel):
    """Why an action is not wanted any more."""

    reason: Annotated[str, MaskedText(min_length=1, max_length=1_000)] = Field(
        description="Why it is withdrawn; the channel is told.", examples=["mistake"]
    )


@router.get("", summary="List the actions")
async def list_actions(
    db: ReadDatabase, paging: Paging, group_id: GroupId = None, state: InState = None
) -> Page[ActionView]:
    """Newest first."""
    before, limit = paging.last(str), paging.limit + 1
    found = await store.list_actions(db, group_id=group_id, state=state, before=before, limit=limit)
    return paging.page(found, lambda followed: (followed.action_id,), _view)


@router.get("/{action_id}", summary="Read one action and what became of it")
async def read_action(db: ReadDatabase, action_id: ActionPath) -> ActionView:
    """The id is also the channel's idempotency key."""
    found = await store.find_action(db, action_id)
    if found is None:
        raise ActionNotFoundError(action_id)
    return _view(found)


@router.post("/{action_id}/withdrawal", summary="Withdraw an action", response_model=ActionView)
async def withdraw_action(
    action_id: ActionPath,
    body: WithdrawalBody,
    write: WriteOnce,
    who: Annotated[Principal, require_role("operator")],
) -> Response:
    """The channel is told, and the staff member who was asked to carry it out; what is done already stays done."""

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await withdraw_action_by_hand(work, action_id, body.reason, who.id)))

    return await write(use_case)


def _view(followed: FollowedAction) -> ActionView:
    action = followed.action
    return ActionView(
        id=action.action_id,
        group_id=action.group_id,
        kind=action.kind,
        state=followed.state,
        how=followed.how,
        steps=followed.steps,
        member_id=action.target.member_id,
        message_id=action.target.message_id,
        content=redact_link_tokens(action.content),
        members=list(action.members),
        duration_seconds=action.duration_seconds,
        reason=action.reason,
        requested_at=followed.requested_at,
        not_before=action.not_before,
        deadline=action.deadline,
        retry_at=followed.retry_at,
        settled_at=followed.settled_at,
        assignee=followed.assignee or action.assignee,
        code=followed.code,
        stage=followed.stage,
        detail=followed.detail,
        batch_id=action.batch_id,
        notice_of=followed.notice_of,
    )

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

GroupId = Annotated[Id | None, Query(description="Only actions in this group.", examples=["group-1"])]
InState = Annotated[
    ActionState | Literal["open"] | None,
    Query(description="Only actions in this state; open is requested or assigned.", examples=["open"]),
]
ActionPath = Annotated[Id, Path(description="The action's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])]


class ActionView(BaseModel):
    """An action that was asked of the channel."""

    id: str = Field(description="The action's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    group_id: str | None = Field(
        description="Id of the group; null where a customer is transferred.", examples=["group-1"]
    )
    kind: ActionKind = Field(description="Kind of action that the channel is asked for.", examples=["mute_member"])
    state: ActionState = Field(
        description="State of the action; `shadow` is one of a drill, asked of nobody.", examples=["assigned"]
    )
    how: ExecutionMode = Field(
        description="Way the action is carried out: by the channel, by a member of staff, or not at all.",
        examples=["staff_task"],
    )
    steps: int = Field(
        description="Number of repeats, reminders and escalations since the action was requested or assigned.",
        examples=[1],
    )
    member_id: str | None = Field(
        description="Id of the member whom the action is about; null if there is none.", examples=["member-1"]
    )
    message_id: str | None = Field(
        description="Id of the message that the action is about; null if there is none.", examples=["msg-1"]
    )
    content: str = Field(
        description="Text to send, or what a member of staff is asked to do; personal links are cut short.",
        examples=["请留意群规"],
    )
    members: list[str] = Field(
        description="Ids of the members named in the content: the channel replaces {member:ID} by the name.",
        examples=[["member-1"]],
    )
    duration_seconds: int | None = Field(
        description="Duration of a mute in seconds; null for other kinds.", examples=[600]
    )
    reason: str = Field(description="Reason for the action.", examples=["ads"])
    requested_at: datetime = Field(description="Moment the action was requested.", examples=["2026-11-22T08:00:00Z"])
    not_before: datetime | None = Field(
        description="Earliest moment the action may be carried out; null for at once.",
        examples=["2026-11-22T09:00:00Z"],
    )
    deadline: datetime | None = Field(
        description="Moment after which the action is not carried out any more; null if there is none.",
        examples=["2026-11-22T10:00:00Z"],
    )
    retry_at: datetime | None = Field(
        description="Moment of the next attempt after a failure; null if there is none.",
        examples=["2026-11-23T01:00:00Z"],
    )
    settled_at: datetime | None = Field(
        description="Moment of the latest change of state; null while there was none.",
        examples=["2026-11-22T08:01:00Z"],
    )
    assignee: str | None = Field(
        description="Member of staff who was asked to carry out the action.", examples=["staff-7"]
    )
    code: FailureCode | None = Field(
        description="Code of the latest failure; null if there was none.", examples=["cap"]
    )
    stage: CompletionStage | None = Field(
        description="Stage that the action reached: confirmed by a person, or delivered.", examples=["delivered"]
    )
    detail: str = Field(
        description="Explanation by the channel, as its latest receipt has it.", examples=["The member had left"]
    )
    batch_id: str | None = Field(description="Id of the mass message that the action is part of.", examples=["batch-1"])
    notice_of: str | None = Field(
        description="Id of the action that this one notifies somebody of: as a reminder, an escalation or a recall.",
        examples=["0192f3c1-7b5e-7abc-8def-0123456789aa"],
    )


class WithdrawalBody(BaseModel):
    """Why an action is not wanted any more."""

    reason: Annotated[str, MaskedText(min_length=1, max_length=1_000)] = Field(
        description="Reason for the withdrawal, which the channel is told.", examples=["mistake"]
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

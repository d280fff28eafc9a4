"""Look after open actions: ask again, remind, escalate, hand over, or give up."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from huiqun.channel.actions import texts
from huiqun.channel.actions.handlers import (
    create_staff_notice,
    emit_action_request,
    request_followed_actions,
    schedule_follow_up,
)
from huiqun.channel.actions.metrics import FOLLOW_UPS
from huiqun.channel.actions.model import (
    ActionState,
    ExecutionMode,
    FollowedAction,
    FollowUpStep,
    choose_execution_mode,
    shorten_to_remaining,
)
from huiqun.channel.actions.store import count_open_actions, find_action, has_notice, insert_actions, save_actions
from huiqun.channel.directory.model import DirectoryGroup
from huiqun.channel.directory.store import read_directory
from huiqun.contracts.channel import Action, CompletionStage
from huiqun.runtime.ids import new_id
from huiqun.tasks.model import Queue, TaskKind
from huiqun.telemetry.metrics import initialize_series
from huiqun.work import Task, Work

#: Finds who is told that nobody carries out an action; None for the group's owner.
FindSuperior = Callable[[Work, Action], Awaitable[str | None]]
#: Follow-ups wait for each other and for nothing else.
FOLLOW_UPS_QUEUE: Final = Queue("actions")


def follow_up_task_kind(find_superior: FindSuperior) -> TaskKind:
    """How the tasks that look after actions are run; `find_superior` is the service's."""
    initialize_series(FOLLOW_UPS, step=FollowUpStep)

    async def follow_up(work: Work, task: Task) -> None:
        """An action is still open when its time has come: do what is due about it, and look again."""
        followed = await find_action(work, task.payload["action_id"])
        if followed is None or not followed.is_open:
            return
        key = followed.action.record_key
        group = (await read_directory(work, [key])).group(key)
        how, due = choose_execution_mode(followed.action, group), followed.next_step()
        if followed.is_too_late(work.now) or (how is ExecutionMode.UNSUPPORTED and followed.confirmed_at is None):
            step = FollowUpStep.GIVE_UP
        elif due is not None:
            step = due[1]
        else:
            return
        FOLLOW_UPS.labels(step=step.value).inc()
        after = await _take(work, step, followed.count_step(step, how, work.now), group, find_superior)
        await save_actions(work, [after])
        schedule_follow_up(work, after)

    return TaskKind(follow_up, FOLLOW_UPS_QUEUE)


async def _take(
    work: Work, step: FollowUpStep, followed: FollowedAction, group: DirectoryGroup, find_superior: FindSuperior
) -> FollowedAction:
    """Do what is to be done about an open action, and return it as that leaves it."""
    action, owner = followed.action, group.profile.owner
    match step:
        case FollowUpStep.REPEAT:
            emit_action_request(work, replace(followed, action=shorten_to_remaining(action, work.now)), group)
        case FollowUpStep.REMIND:
            await _remind(work, followed, group)
        case FollowUpStep.ESCALATE:
            superior = await find_superior(work, action) or owner
            text = texts.describe_escalation(followed, group, followed.assignee or owner)
            await _tell_once(work, create_staff_notice(work, followed, superior, text, _notice_key(followed, superior)))
        case FollowUpStep.HAND_OVER:
            await _hand_over(work, followed, group)
            return followed.end(ActionState.EXPIRED, "handed to a staff member", work.now)
        case FollowUpStep.CONCLUDE:
            detail = "confirmed, and nobody has reported that it failed"
            return followed.complete(CompletionStage.CONFIRMED, detail, work.now)
        case FollowUpStep.GIVE_UP:
            return followed.end(ActionState.EXPIRED, "nobody has done it in time", work.now)
    return followed


async def _remind(work: Work, followed: FollowedAction, group: DirectoryGroup) -> None:
    assignee, batch_id = followed.assignee or group.profile.owner, followed.action.batch_id
    waiting = 1
    if batch_id is not None and followed.assignee is not None:
        waiting = await count_open_actions(work, batch_id=batch_id, assignee=followed.assignee)
    text = texts.describe_reminder(followed, group, waiting)
    await _tell_once(work, create_staff_notice(work, followed, assignee, text, _notice_key(followed, assignee)))


async def _hand_over(work: Work, followed: FollowedAction, group: DirectoryGroup) -> None:
    """Ask a person for what the channel has not done; as another action, because a channel does each id once."""
    action = shorten_to_remaining(followed.action, work.now).model_copy(update={"action_id": new_id()})
    handed = FollowedAction(
        action,
        ExecutionMode.STAFF_TASK,
        asked_at=work.now,
        requested_at=work.now,
        excerpt=followed.excerpt,
        sent_at=followed.sent_at,
        traceparent=followed.traceparent,
    )
    emit_action_request(work, handed, group)
    schedule_follow_up(work, handed)
    await insert_actions(work, [handed])


def _notice_key(followed: FollowedAction, person: str | None) -> str | None:
    """What a person is told once, however many actions of a mass message wait for them."""
    batch_id = followed.action.batch_id
    return f"{batch_id}/{person}/{followed.steps}" if batch_id is not None and person is not None else None


async def _tell_once(work: Work, notice: FollowedAction) -> None:
    if notice.notice_key is None or not await has_notice(work, notice.notice_key):
        await request_followed_actions(work, [notice])

"""Ask the channel for actions, in the way that it can carry them out, note what receipts say, and withdraw them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions import texts
from huiqun.channel.actions.context import NO_CONTEXT, ActionContext
from huiqun.channel.actions.model import ActionState, ExecutionMode, FollowedAction, choose_execution_mode
from huiqun.channel.actions.store import (
    find_action,
    find_actions,
    insert_actions,
    list_open_notices,
    save_actions,
)
from huiqun.channel.directory.fold import DirectorySnapshot
from huiqun.channel.directory.model import DirectoryGroup
from huiqun.channel.directory.store import read_directory
from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionKind,
    ActionRequested,
    ActionTarget,
    ActionUnsupported,
    ActionWithdrawn,
    CompletionStage,
    WithdrawnAction,
)
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work

#: The kind of task that looks after an open action.
FOLLOW_UP: Final = "action.follow-up"
#: What a service routes to `record_receipts`.
RECEIPT_EVENTS: Final = (ActionCompleted, ActionFailed, ActionUnsupported, ActionAssigned, ActionExpired)
ReceiptEvent = ActionCompleted | ActionFailed | ActionUnsupported | ActionAssigned | ActionExpired

_NO_CONTEXTS: Final[Mapping[str, ActionContext]] = MappingProxyType({})


class ActionNotFoundError(NotFoundError):
    """No action of this id was asked for by this service, or so long ago that it is forgotten."""


class ActionEndedError(ValueError):
    """The action has its outcome: what is done cannot be withdrawn."""


async def request_actions(work: Work, *actions: Action, contexts: Mapping[str, ActionContext] = _NO_CONTEXTS) -> None:
    """Ask for actions as the channels of their groups can carry them out, and have them followed to their outcome.

    One read of the directory and one write, however many they are. `contexts` says by action id what an action is
    asked for, where the work is done for several events, or is about a message. What the channel cannot do is recorded
    and left.
    """
    await request_followed_actions(work, [_followed(work, action, contexts) for action in actions], contexts)


async def rehearse_actions(work: Work, *actions: Action) -> None:
    """Record what a drill would have asked for; nothing is published, and nothing followed up."""
    directory = await _directory_of(work, actions)
    shadows = [_placed(_followed(work, action, _NO_CONTEXTS), directory) for action in actions]
    await insert_actions(work, [replace(shadow, state=ActionState.SHADOW) for shadow in shadows])


async def request_followed_actions(
    work: Work, requested: Sequence[FollowedAction], contexts: Mapping[str, ActionContext] = _NO_CONTEXTS
) -> None:
    """Ask for actions of which it is known whether they are notices of others."""
    directory = await _directory_of(work, [each.action for each in requested])
    placed = [_placed(each, directory) for each in requested]
    for each in placed:
        if each.how is not ExecutionMode.UNSUPPORTED:
            cause = contexts.get(each.action_id, NO_CONTEXT).cause
            emit_action_request(work, each, directory.group(each.action.record_key), cause)
            schedule_follow_up(work, each)
    await insert_actions(
        work,
        [
            each.end(ActionState.UNSUPPORTED, "", work.now) if each.how is ExecutionMode.UNSUPPORTED else each
            for each in placed
        ],
    )


async def record_receipts(work: Work, receipts: Sequence[ReceiptEvent]) -> None:
    """Note what became of actions; those that ended are followed no longer, those of other services are passed over."""
    known = await find_actions(work, {receipt.data.action_id for receipt in receipts})
    failed = {receipt.data.action_id for receipt in receipts if isinstance(receipt, ActionFailed)} & known.keys()
    directory = await _directory_of(work, [known[action_id].action for action_id in failed])
    changed: dict[str, FollowedAction] = {}
    for receipt in receipts:
        before = known.get(receipt.data.action_id)
        if before is None or not before.is_open:
            continue
        after = known[before.action_id] = _noted(work, receipt, before, directory.group(before.action.record_key))
        if after is not before:
            changed[after.action_id] = after
            schedule_follow_up(work, after)
    await save_actions(work, changed.values())


async def withdraw_actions(
    work: Work, actions: Collection[FollowedAction], reason: str, *, tells_assignees: bool = True
) -> None:
    """Take back those of the actions that are open: the channel is told, and who was asked to carry one out.

    What the channel has done already stays done: the caller asks for its opposite where there is one. Nobody need be
    told where it was they who made it needless.
    """
    waiting = [action for action in actions if action.is_open]
    if not waiting:
        return
    reminded = [action.action_id for action in waiting if action.is_with_person]
    notices = await list_open_notices(work, reminded)
    ended = [each.end(ActionState.WITHDRAWN, reason, work.now) for each in (*waiting, *notices)]
    for each in ended:
        withdrawn = WithdrawnAction(
            action_id=each.action_id,
            channel=each.action.channel or DEFAULT_CHANNEL,
            group_id=each.action.group_id,
            reason=reason,
        )
        key = each.action.record_key
        work.emit(ActionWithdrawn.create(key, withdrawn, time=work.now, source=work.source))
        work.cancel(follow_up_key(each.action_id))
    await save_actions(work, ended)
    if tells_assignees:
        await _tell_assignees(work, [action for action in waiting if action.is_with_person])


async def withdraw_action_by_hand(work: Work, action_id: str, reason: str, actor: str) -> FollowedAction:
    """Withdraw an action because an operator asks. Raises ActionNotFoundError, ActionEndedError."""
    found = await find_action(work, action_id)
    if found is None:
        raise ActionNotFoundError(action_id)
    if not found.is_open:
        raise ActionEndedError(found.state.value)
    await withdraw_actions(work, [found], reason)
    await append_audit_entry(work, AuditEntry(actor, "action.withdrawn", f"action/{action_id}", {"reason": reason}))
    return found.end(ActionState.WITHDRAWN, reason, work.now)


def emit_action_request(
    work: Work, followed: FollowedAction, group: DirectoryGroup, cause: Event | None = None
) -> None:
    """Ask the channel; what a person has to do, as a task in words, and what staff are told, with what it is about."""
    action = followed.action
    if followed.notice_of is None and (
        followed.how is ExecutionMode.STAFF_TASK or action.kind is ActionKind.NOTIFY_STAFF
    ):
        action = texts.replace_action_text(action, texts.describe_task(followed, group))
        if followed.how is ExecutionMode.STAFF_TASK:
            change = {"kind": ActionKind.NOTIFY_STAFF, "task": followed.action.kind, "assignee": group.profile.owner}
            action = action.model_copy(update=change)
    work.emit(ActionRequested.create(action.record_key, action, time=work.now, cause=cause, source=work.source))


def schedule_follow_up(work: Work, followed: FollowedAction) -> None:
    """Have somebody look at an action when its next step is due; at one that has ended, nobody does."""
    due = followed.next_check_at(work.now)
    key = follow_up_key(followed.action_id)
    if due is None:
        work.cancel(key)
    else:
        payload = {"action_id": followed.action_id}
        work.schedule(Task(key, FOLLOW_UP, due, payload, traceparent=followed.traceparent))


def follow_up_key(action_id: str) -> str:
    """The key of the task that looks after the action."""
    return f"action/{action_id}"


def create_staff_notice(
    work: Work, about: FollowedAction, assignee: str | None, text: AddressedText, notice_key: str | None = None
) -> FollowedAction:
    """Return an action that tells somebody of another one, without anything of what that one asks."""
    target = ActionTarget(member_id=about.action.target.member_id)
    action = Action(
        action_id=new_id(),
        channel=about.action.channel,
        group_id=about.action.group_id,
        kind=ActionKind.NOTIFY_STAFF,
        target=target,
        assignee=assignee,
        reason=about.action.reason,
        requested_by=about.action.requested_by,
    )
    notice = _followed(work, texts.replace_action_text(action, text), _NO_CONTEXTS)
    return replace(notice, notice_of=about.action_id, notice_key=notice_key)


async def _tell_assignees(work: Work, tasks: Sequence[FollowedAction]) -> None:
    """Tell people that they need not do any more what they were asked for; each once, of all of it in a group."""
    if not tasks:
        return
    directory = await _directory_of(work, [task.action for task in tasks])
    by_person: dict[tuple[str, str | None], list[FollowedAction]] = {}
    for task in tasks:
        owner = directory.group(task.action.record_key).profile.owner
        by_person.setdefault((task.action.record_key, task.assignee or owner), []).append(task)
    notices = [
        create_staff_notice(work, theirs[0], person, texts.describe_withdrawal(theirs, directory.group(key)))
        for (key, person), theirs in by_person.items()
    ]
    await request_followed_actions(work, notices)


async def _directory_of(work: Work, actions: Collection[Action]) -> DirectorySnapshot:
    return await read_directory(work, {action.record_key for action in actions})


def _followed(work: Work, action: Action, contexts: Mapping[str, ActionContext]) -> FollowedAction:
    context = contexts.get(action.action_id, NO_CONTEXT)
    return FollowedAction(
        action,
        ExecutionMode.NATIVE,
        asked_at=work.now,
        requested_at=work.now,
        excerpt=context.excerpt,
        sent_at=context.sent_at,
        traceparent=context.cause.traceparent if context.cause is not None else work.trace_on(action.record_key),
    )


def _placed(followed: FollowedAction, directory: DirectorySnapshot) -> FollowedAction:
    """Return it as the channel of its group is asked for it."""
    action = followed.action
    group = directory.group(action.record_key)
    if group.profile.channel is not None and group.profile.channel != action.channel:
        action = action.model_copy(update={"channel": group.profile.channel})
    return replace(followed, action=action, how=choose_execution_mode(action, group))


def _noted(work: Work, receipt: ReceiptEvent, followed: FollowedAction, group: DirectoryGroup) -> FollowedAction:
    """Return the action as a receipt leaves it."""
    data, now = receipt.data, work.now
    match receipt:
        case ActionAssigned():
            return followed.assign(data.assignee, data.detail, now)
        case ActionFailed():
            return followed.fail(data.code, data.detail, now, texts.group_timezone_of(group))
        case ActionCompleted() if data.stage is CompletionStage.CONFIRMED:
            return followed.confirm(data.detail, now)
        case ActionCompleted():
            return followed.complete(CompletionStage.DELIVERED, data.detail, now)
        case ActionUnsupported():
            return followed.end(ActionState.UNSUPPORTED, data.detail, now)
        case ActionExpired():
            return followed.end(ActionState.EXPIRED, data.detail, now)

"""Announce sanctions, end mutes when they are over, and take sanctions back with all that followed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from huiqun.channel.actions.handlers import request_actions, withdraw_actions
from huiqun.channel.actions.model import ActionState
from huiqun.channel.actions.store import list_actions_about
from huiqun.contracts.channel import ActionKind
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import LiftedSanction, MemberSanctioned, Sanction, SanctionLifted
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.archive.model import MessageRef
from moderation.notices.model import Offence
from moderation.sanctions.model import (
    AppealLink,
    ImposedSanction,
    removal_notice,
    remove_member_action,
    unmute_action,
)
from moderation.standings.handlers import load_standing
from moderation.standings.model import Standing, Strike, reverse_strike

MUTE_ENDS = "mute.ends"
_NEEDLESS = "what it was for is withdrawn"
_IN_EFFECT: Final = frozenset({ActionState.REQUESTED, ActionState.ASSIGNED, ActionState.COMPLETED})


def announce_sanction(work: Work, imposed: ImposedSanction) -> None:
    """Say that a sanction is imposed, and have its mute end in time; what it asks of the channel is the caller's."""
    offence, step = imposed.offence, imposed.step
    sanction = Sanction(
        sanction_id=imposed.sanction_id,
        channel=offence.channel,
        group_id=offence.group_id,
        member_id=offence.member_id,
        kind=step.kind,
        category=offence.category,
        rung=step.rung,
        message_id=offence.message_id,
        until=step.until,
    )
    work.emit(MemberSanctioned.create(offence.group_id, sanction, time=work.now, cause=offence.context.cause))
    if step.until is not None:
        whose = {"channel": offence.channel, "group_id": offence.group_id, "member_id": offence.member_id}
        payload = {**whose, "sanction_id": imposed.sanction_id}
        task = Task(_mute_task_key(imposed.sanction_id), MUTE_ENDS, step.until, payload)
        work.schedule(task, offence.context.cause)


async def end_mute(work: Work, task: Task) -> None:
    """Announce that a mute is over, and ask for the member's voice back unless a longer mute goes on."""
    group_id, member_id = task.payload["group_id"], task.payload["member_id"]
    standing = await load_standing(work, group_id, member_id)
    if not standing.is_muted(work.now):
        await request_actions(work, unmute_action(group_id, member_id, "禁言到期", work.now, new_id()))
    channel = task.payload.get("channel", DEFAULT_CHANNEL)
    _emit_sanction_lifted(work, standing, task.payload["sanction_id"], "expired", channel)


@dataclass(frozen=True, slots=True)
class ReversedSanction:
    """What was taken back: the offence, if the message was one; `member_removed` is whether its author is out."""

    strike: Strike | None
    member_removed: bool


async def reverse_sanction(work: Work, standing: Standing, ref: MessageRef) -> ReversedSanction:
    """Take back an offence with all that followed: strike, sanction, mute, and the actions that are still open."""
    strike = reverse_strike(standing, ref.message_id)
    actions = await list_actions_about(work, {(standing.group_id, ref.message_id)})
    await withdraw_actions(work, actions, _NEEDLESS)
    if strike is not None and strike.until is not None:
        work.cancel(_mute_task_key(strike.id))
        # A mute that failed or is beyond the channel has silenced nobody.
        silenced = any(each.action.kind is ActionKind.MUTE_MEMBER and each.state in _IN_EFFECT for each in actions)
        if silenced and strike.until > work.now and not standing.is_muted(work.now):
            voice = unmute_action(standing.group_id, standing.member_id, "处罚已撤销", work.now, new_id())
            await request_actions(work, voice)
    if strike is not None and strike.sanction_id is not None:
        _emit_sanction_lifted(work, standing, strike.sanction_id, "reversed", ref.channel or DEFAULT_CHANNEL)
    removals = [each.state for each in actions if each.action.kind is ActionKind.REMOVE_MEMBER]
    return ReversedSanction(strike, member_removed=ActionState.COMPLETED in removals)


async def request_removal(
    work: Work, offence: Offence, approved_by: str, sanction_id: str | None, appeal_link: AppealLink | None
) -> str:
    """Ask for a member to be taken out of the group, and tell them where they can appeal against the sanction.

    Returns the id of the action that removes them.
    """
    removal = remove_member_action(offence, approved_by, new_id())
    actions = [removal]
    if sanction_id is not None and appeal_link is not None:
        # Who is out of the group can appeal by nothing but a link.
        actions.append(removal_notice(offence, appeal_link(offence, sanction_id)))
    await request_actions(work, *actions, contexts={removal.action_id: offence.context})
    return removal.action_id


async def withdraw_deletions(work: Work, refs: Collection[MessageRef]) -> None:
    """Withdraw what asks to delete messages that have been withdrawn, or say something else now."""
    messages = {(ref.group_id, ref.message_id) for ref in refs}
    actions = await list_actions_about(work, messages, ActionKind.DELETE_MESSAGE)
    await withdraw_actions(work, actions, "the message was withdrawn, or changed, by itself")


def _emit_sanction_lifted(
    work: Work, standing: Standing, sanction_id: str, cause: Literal["expired", "reversed"], channel: str
) -> None:
    lifted = LiftedSanction(
        sanction_id=sanction_id, channel=channel, group_id=standing.group_id, member_id=standing.member_id, cause=cause
    )
    work.emit(SanctionLifted.create(standing.group_id, lifted, time=work.now))


def _mute_task_key(sanction_id: str) -> str:
    return f"mute/{sanction_id}"

"""Impose sanctions, end mutes when they are over, and take sanctions back with all that followed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from huiqun.channel.actions.handlers import request_actions, withdraw_actions
from huiqun.channel.actions.model import ActionState
from huiqun.channel.actions.store import list_actions_about
from huiqun.contracts.channel import Action, ActionKind
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import LiftedSanction, MemberSanctioned, Sanction, SanctionLifted
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.archive.model import MessageRef
from moderation.enforcement import model
from moderation.enforcement.model import Offence, Terms
from moderation.standing import store as standings
from moderation.standing.model import Climb, Standing, Strike, add_strike, key_of, reverse

MUTE_ENDS = "mute.ends"
_NEEDLESS = "what it was for is withdrawn"
_IN_EFFECT: Final = frozenset({ActionState.REQUESTED, ActionState.ASSIGNED, ActionState.COMPLETED})


def impose(
    work: Work, offence: Offence, weight: float, standing: Standing, terms: Terms
) -> tuple[Climb, list[Action]] | None:
    """Count an offence against its author; where that brings a sanction, say so and return what to ask of the channel.

    Strike, sanction and the first action share an id: whoever has one of them finds the others.
    """
    strike = Strike(new_id(), offence.message_id, offence.category, weight, offence.at)
    climb = add_strike(standing, strike, terms.ladder, terms.highest)
    if climb is None:
        return None
    sanction = Sanction(
        sanction_id=strike.id,
        channel=offence.channel,
        group_id=offence.group_id,
        member_id=offence.member_id,
        kind=climb.kind,
        category=offence.category,
        rung=climb.rung,
        message_id=offence.message_id,
        until=climb.until,
    )
    work.emit(MemberSanctioned.create(offence.group_id, sanction, time=work.now, cause=offence.context.cause))
    if climb.until is not None:
        whose = {"channel": offence.channel, "group_id": offence.group_id, "member_id": offence.member_id}
        payload = {**whose, "sanction_id": strike.id}
        work.schedule(Task(_mute_key(strike), MUTE_ENDS, climb.until, payload), offence.context.cause)
    actions = [model.sanction(offence, climb, terms, strike.id)]
    if climb.until is not None and terms.appeal_link is not None and terms.mutes:
        # In private: whoever sees the link can appeal.
        actions.append(model.appeal_letter(offence, terms.appeal_link(offence, strike.id), new_id()))
    return climb, actions


async def end_mute(work: Work, task: Task) -> None:
    """A mute is over: say so, and ask for the member's voice back unless a longer mute goes on."""
    group_id, member_id = task.payload["group_id"], task.payload["member_id"]
    standing = (await standings.load(work, [(group_id, member_id)]))[key_of(group_id, member_id)]
    if not standing.is_muted(work.now):
        await request_actions(work, model.release(group_id, member_id, "禁言到期", work.now, new_id()))
    channel = task.payload.get("channel", DEFAULT_CHANNEL)
    _lift(work, standing, task.payload["sanction_id"], "expired", channel)


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back: the offence, if the message was one; `removed` says that its author is out of the group."""

    strike: Strike | None
    removed: bool


async def undo(work: Work, standing: Standing, ref: MessageRef) -> Undone:
    """Take back an offence with all that followed: strike, sanction, mute, and the actions that are still open."""
    strike = reverse(standing, ref.message_id)
    actions = await list_actions_about(work, {(standing.group_id, ref.message_id)})
    await withdraw_actions(work, actions, _NEEDLESS)
    if strike is not None and strike.until is not None:
        work.cancel(_mute_key(strike))
        # A mute that failed or is beyond the channel has silenced nobody.
        silenced = any(each.action.kind is ActionKind.MUTE_MEMBER and each.state in _IN_EFFECT for each in actions)
        if silenced and strike.until > work.now and not standing.is_muted(work.now):
            voice = model.release(standing.group_id, standing.member_id, "处罚已撤销", work.now, new_id())
            await request_actions(work, voice)
    if strike is not None and strike.sanction_id is not None:
        _lift(work, standing, strike.sanction_id, "reversed", ref.channel or DEFAULT_CHANNEL)
    removals = [each.state for each in actions if each.action.kind is ActionKind.REMOVE_MEMBER]
    return Undone(strike, removed=ActionState.COMPLETED in removals)


async def spare_deletions(work: Work, refs: Collection[MessageRef]) -> None:
    """Nobody has to delete messages any more that have been withdrawn, or say something else now."""
    messages = {(ref.group_id, ref.message_id) for ref in refs}
    actions = await list_actions_about(work, messages, ActionKind.DELETE_MESSAGE)
    await withdraw_actions(work, actions, "the message was withdrawn, or changed, by itself")


def _lift(
    work: Work, standing: Standing, sanction_id: str, cause: Literal["expired", "reversed"], channel: str
) -> None:
    lifted = LiftedSanction(
        sanction_id=sanction_id, channel=channel, group_id=standing.group_id, member_id=standing.member_id, cause=cause
    )
    work.emit(SanctionLifted.create(standing.group_id, lifted, time=work.now))


def _mute_key(strike: Strike) -> str:
    return f"mute/{strike.id}"

"""Ask the channel for actions, follow their receipts, end mutes when they are over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from huiqun.contracts.channel import (
    Action,
    ActionAssigned,
    ActionCompleted,
    ActionExpired,
    ActionFailed,
    ActionKind,
    ActionRequested,
    ActionUnsupported,
    ActionWithdrawn,
    WithdrawnAction,
)
from huiqun.contracts.channel.mentions import AddressedText, Mention, compose
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import LiftedSanction, MemberSanctioned, Sanction, SanctionLifted
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.archive.model import MessageRef
from moderation.enforcement import model, store
from moderation.enforcement.model import How, Offence, Step, Terms
from moderation.enforcement.store import Followed
from moderation.metrics import FOLLOW_UPS
from moderation.policies import store as policies
from moderation.policies.handlers import find_group, policy_in_force
from moderation.policies.model import UNKNOWN_GROUP
from moderation.standing import store as standings
from moderation.standing.model import Climb, Standing, Strike, add_strike, key_of, reverse

SOURCE = "huiqun/moderation"
MUTE_ENDS = "mute.ends"
FOLLOW_UP = "action.follow-up"
_FAILED_AGAIN = timedelta(minutes=1)
_NEEDLESS = "what it was for is withdrawn"
_CALLED_OFF = AddressedText("此前分配给您的群管处理任务已撤销，请勿再执行；如已执行，请告知群主。")
_IN_EFFECT = frozenset({"requested", "assigned", "completed"})

Receipts = ActionCompleted | ActionFailed | ActionUnsupported | ActionAssigned | ActionExpired

_STATES: Mapping[type[Event], str] = {
    ActionCompleted: "completed",
    ActionUnsupported: "unsupported",
    ActionExpired: "expired",
}


async def request_actions(work: Work, actions: Sequence[tuple[Action, Event | None]]) -> None:
    """Ask for actions in the way their groups' channels can carry them out; each comes with the event that caused it.

    An action that nobody answers is followed up by a task; one that the channel cannot do is recorded and left.
    """
    groups = await policies.groups_of(work, {action.record_key for action, _ in actions})
    ordered: list[tuple[Action, How]] = []
    for wanted, cause in actions:
        group = groups.get(wanted.record_key, UNKNOWN_GROUP)
        action = wanted.model_copy(update={"channel": group.channel})
        how = model.how_of(action, group)
        ordered.append((action, how))
        if how is How.UNSUPPORTED:
            continue
        asked = model.as_task(action, group.owner, action.action_id) if how is How.STAFF_TASK else action
        _ask(work, asked, cause)
        _follow(work, action, how, work.now, 0)
    await store.request(work, ordered)


async def rehearse_actions(work: Work, actions: Sequence[Action]) -> None:
    """Record what a drill would have asked for; nothing is published, and nothing followed up."""
    groups = await policies.groups_of(work, {action.record_key for action in actions})
    settings = [groups.get(action.record_key, UNKNOWN_GROUP) for action in actions]
    ways = [model.how_of(action, group) for action, group in zip(actions, settings, strict=True)]
    await store.rehearse(work, list(zip(actions, ways, strict=True)))


async def record_receipts(work: Work, receipts: Sequence[Receipts]) -> None:
    """Note what became of the actions; a failed one is tried again, an ended one is followed no longer.

    From when a person has been asked, the action is their task: they are reminded, and nobody else is asked meanwhile.
    """
    outcomes: dict[str, tuple[str, Mapping[str, Any]]] = {}
    handed: dict[str, Mapping[str, Any]] = {}
    for receipt in receipts:
        action_id = receipt.data.action_id
        if isinstance(receipt, ActionFailed):
            if action_id not in handed:
                outcomes.setdefault(action_id, ("requested", _facts(receipt)))
            _follow_at(work, action_id, work.now + _FAILED_AGAIN)
        elif isinstance(receipt, ActionAssigned):
            handed[action_id] = _facts(receipt)
            if outcomes.get(action_id, ("requested", {}))[0] == "requested":
                outcomes.pop(action_id, None)
                _follow_at(work, action_id, work.now + model.FIRST_REMINDER)
        else:
            outcomes[action_id] = (_STATES[type(receipt)], _facts(receipt))
            work.cancel(_follow_up_key(action_id))
    await store.hand_to(work, handed)
    await store.settle(work, outcomes)


async def follow_up(work: Work, task: Task) -> None:
    """An action is still open when its time has come: ask again, remind, escalate, hand over, or give up."""
    known = await store.followed(work, task.payload["action_id"])
    if known is None or known.state not in store.OPEN:
        return
    action = known.action
    due = model.step_after(known.how, known.steps)
    group = (await policies.groups_of(work, {action.record_key})).get(action.record_key, UNKNOWN_GROUP)
    if model.is_too_late(action, work.now) or model.how_of(action, group) is How.UNSUPPORTED:
        step = Step.GIVE_UP
    elif due is not None:
        step = due[1]
    else:
        return
    await store.note_step(work, action.action_id)
    FOLLOW_UPS.labels(step=step.value).inc()
    await _take(work, step, known)
    if step not in {Step.HAND_OVER, Step.GIVE_UP}:
        _follow(work, action, known.how, known.since, known.steps + 1)


async def _take(work: Work, step: Step, known: Followed) -> None:
    """Do what is to be done about an open action."""
    action = known.action
    group = await find_group(work, action.record_key)
    asked = known.assignee or group.settings.owner
    match step:
        case Step.REPEAT:
            _ask(work, model.again(action, work.now), None)
        case Step.REMIND:
            _ask(work, model.nudge(action, asked, "提醒：以下事项尚未处理。", new_id()), None)
        case Step.ESCALATE:
            policy = await policy_in_force(work, group.settings)
            above = policy.rules.review.escalate_to or group.settings.owner
            late = compose("升级：{who} 尚未处理以下事项。", who=Mention(asked) if asked else "负责人")
            _ask(work, model.nudge(action, above, late, new_id()), None)
        case Step.HAND_OVER:
            await store.settle(work, {action.action_id: ("expired", {"detail": "handed to a staff member"})})
            handed = model.again(action, work.now).model_copy(update={"action_id": new_id()})
            _ask(work, model.as_task(handed, group.settings.owner, handed.action_id), None)
            await store.request(work, [(handed, How.STAFF_TASK)])
            _follow(work, handed, How.STAFF_TASK, work.now, 0)
        case Step.GIVE_UP:
            await store.settle(work, {action.action_id: ("expired", {"detail": "nobody has done it in time"})})


async def call_off(work: Work, action_id: str, why: str) -> None:
    """Follow an action no longer that is still open, because it has become needless."""
    work.cancel(_follow_up_key(action_id))
    known = await store.followed(work, action_id)
    if known is not None and known.state in store.OPEN:
        _withdraw(work, model.withdrawal(action_id, known.action.group_id, known.action.channel, why))
    await store.settle(work, {action_id: ("withdrawn", {"detail": why})})


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
    work.emit(MemberSanctioned.about(offence.group_id, sanction, time=work.now, cause=offence.cause))
    if climb.until is not None:
        whose = {"channel": offence.channel, "group_id": offence.group_id, "member_id": offence.member_id}
        payload = {**whose, "sanction_id": strike.id}
        work.schedule(Task(_mute_key(strike), MUTE_ENDS, climb.until, payload))
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
        await request_actions(work, [(model.release(group_id, member_id, "禁言到期", work.now, new_id()), None)])
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
    actions = await store.withdraw(work, standing.group_id, ref.message_id)
    requests = await _call_off(work, standing.group_id, actions)
    if strike is not None and strike.until is not None:
        work.cancel(_mute_key(strike))
        # A mute that failed or is beyond the channel has silenced nobody.
        silenced = any(each["kind"] == ActionKind.MUTE_MEMBER and each["state"] in _IN_EFFECT for each in actions)
        if silenced and strike.until > work.now and not standing.is_muted(work.now):
            voice = model.release(standing.group_id, standing.member_id, "处罚已撤销", work.now, new_id())
            requests.append((voice, None))
    await request_actions(work, requests)
    if strike is not None and strike.sanction_id is not None:
        _lift(work, standing, strike.sanction_id, "reversed", ref.channel or DEFAULT_CHANNEL)
    removals = [action["state"] for action in actions if action["kind"] == ActionKind.REMOVE_MEMBER]
    return Undone(strike, removed="completed" in removals)


async def spare_deletions(work: Work, refs: Collection[MessageRef]) -> None:
    """Nobody has to delete messages any more that have been withdrawn, or say something else now."""
    if not refs:
        return
    actions = await store.open_deletions(work, {(ref.group_id, ref.message_id) for ref in refs})
    gone = ("withdrawn", {"detail": "the message was withdrawn, or changed, by itself"})
    await store.settle(work, {action["_id"]: gone for action in actions})
    requests: list[tuple[Action, Event | None]] = []
    for group_id in dict.fromkeys(action["group_id"] for action in actions):
        requests += await _call_off(work, group_id, [each for each in actions if each["group_id"] == group_id])
    await request_actions(work, requests)


async def _call_off(work: Work, group_id: str, actions: Sequence[Mapping[str, Any]]) -> list[tuple[Action, None]]:
    """Stop following the actions that were withdrawn, and tell the people who were asked to carry one out."""
    open_ones = [action for action in actions if action["state"] in store.OPEN]
    for action in open_ones:
        work.cancel(_follow_up_key(action["_id"]))
        _withdraw(work, model.withdrawal(action["_id"], group_id, action.get("channel"), _NEEDLESS))
    with_people = [each for each in open_ones if each["state"] == "assigned" or each["how"] == How.STAFF_TASK]
    if not with_people:
        return []
    owner = (await policies.groups_of(work, {group_id})).get(group_id, UNKNOWN_GROUP).owner
    asked = {action.get("assignee") or owner for action in with_people}
    return [(model.task(group_id, each, _CALLED_OFF, work.now, new_id()), None) for each in asked]


def _lift(
    work: Work, standing: Standing, sanction_id: str, cause: Literal["expired", "reversed"], channel: str
) -> None:
    lifted = LiftedSanction(
        sanction_id=sanction_id, channel=channel, group_id=standing.group_id, member_id=standing.member_id, cause=cause
    )
    work.emit(SanctionLifted.about(standing.group_id, lifted, time=work.now))


def _mute_key(strike: Strike) -> str:
    return f"mute/{strike.id}"


def _facts(receipt: Receipts) -> dict[str, Any]:
    facts = {"assignee": receipt.data.assignee, "detail": receipt.data.detail}
    return {name: value for name, value in facts.items() if value}


def _ask(work: Work, action: Action, cause: Event | None) -> None:
    work.emit(ActionRequested.about(action.record_key, action, time=work.now, cause=cause, source=SOURCE))


def _withdraw(work: Work, withdrawn: WithdrawnAction) -> None:
    key = withdrawn.group_id or withdrawn.action_id
    work.emit(ActionWithdrawn.about(key, withdrawn, time=work.now, source=SOURCE))


def _follow(work: Work, action: Action, how: How, since: datetime, taken: int) -> None:
    due = model.step_after(how, taken)
    if due is not None:
        # After downtime the steps come one by one, not all at once.
        moment = max(since + due[0], work.now + _FAILED_AGAIN)
        _follow_at(work, action.action_id, min(moment, action.deadline) if action.deadline else moment)


def _follow_at(work: Work, action_id: str, moment: datetime) -> None:
    work.schedule(Task(_follow_up_key(action_id), FOLLOW_UP, moment, {"action_id": action_id}))


def _follow_up_key(action_id: str) -> str:
    return f"action/{action_id}"

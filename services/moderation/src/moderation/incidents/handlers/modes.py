"""Put groups in a mode and take them out of it: by hand, for an incident, and when the time is over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.store import list_staff_members
from huiqun.contracts.channel import Action
from huiqun.contracts.moderation import ChangedMode, GroupMode, ModeChanged
from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.incidents.handlers.authority import authorise
from moderation.incidents.handlers.plans import Check
from moderation.incidents.model import modes
from moderation.incidents.model.delegations import Right
from moderation.incidents.model.modes import BY_HAND, GroupHolds, Hold
from moderation.incidents.model.plans import Announcements
from moderation.incidents.model.wording import post
from moderation.incidents.store import modes as store
from moderation.metrics import GROUP_MODE_CHANGES
from moderation.policies import store as policies
from moderation.policies.model import UNKNOWN_GROUP, ModeSpan

BY_HAND_ENDS = "incidents.mode_by_hand_ends"
_REASON = "group/mode"


class HeldByIncidentError(ValueError):
    """An incident keeps the group in a severer mode: change it there, or close the incident."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of a group; without a text the usual one is announced."""

    group_id: str
    mode: GroupMode
    minutes: int
    reason: str
    text: str | None = None
    staff: frozenset[str] = frozenset()


async def set_by_hand(work: Work, wish: Wish, check: Check, who: Principal) -> GroupHolds:
    """Set a group's mode without an incident; raises NotAuthorisedError, HeldByIncidentError."""
    delegations = await authorise(work, who, Right.SET_MODES, [wish.group_id])
    group = await store.read(work, wish.group_id)
    check(group.revision)
    if (above := group.held_above(wish.mode, work.now)) is not None:
        raise HeldByIncidentError(above.by)
    if wish.mode is GroupMode.NORMAL:
        after, actions = await _release_by_hand(work, group, wish.text)
    else:
        until = work.now + timedelta(minutes=wish.minutes)
        texts = Announcements()
        text = wish.text or texts.of(wish.mode)
        hold = Hold(BY_HAND, wish.mode, until, text, texts.normal, who.id, wish.staff)
        after = modes.with_hold(group, hold, work.now)
        actions = await _apply(work, [(group, after)], _REASON)
        work.schedule(Task(_key(wish.group_id), BY_HAND_ENDS, until, {"group_id": wish.group_id}))
    await request_actions(work, *actions)
    detail = {
        "mode": wish.mode.value,
        "before": group.mode.value,
        "minutes": wish.minutes,
        "reason": wish.reason,
        "delegations": delegations,
    }
    await append_audit_entry(work, AuditEntry(who.id, "group.mode.set", f"group/{wish.group_id}", detail))
    return after


async def end_by_hand(work: Work, task: Task) -> None:
    """The time of a mode that was set by hand is over."""
    group = await store.read(work, task.payload["group_id"])
    _, actions = await _release_by_hand(work, group, None)
    await request_actions(work, *actions)


async def hold_groups(work: Work, group_ids: Sequence[str], hold: Hold, reason: str) -> list[Action]:
    """Hold groups in a mode for an incident; returns what is to be announced."""
    before = await store.load(work, group_ids)
    changes = [(group, modes.with_hold(group, hold, work.now)) for group in before]
    return await _apply(work, changes, reason)


async def release_groups(work: Work, group_ids: Sequence[str], by: str, reason: str) -> list[Action]:
    """Let groups go, which brings back the mode that others hold them in; returns what is to be announced."""
    before = [group for group in await store.load(work, group_ids) if by in group.holds]
    changes = [(group, modes.without_hold(group, by, work.now)) for group in before]
    return await _apply(work, changes, reason)


async def _release_by_hand(work: Work, group: GroupHolds, text: str | None) -> tuple[GroupHolds, list[Action]]:
    work.cancel(_key(group.group_id))
    held = group.holds.get(BY_HAND)
    if held is None:
        return group, []
    if text is not None:
        group = replace(group, holds={**group.holds, BY_HAND: replace(held, farewell=text)})
    after = modes.without_hold(group, BY_HAND, work.now)
    return after, await _apply(work, [(group, after)], _REASON)


async def _apply(work: Work, changes: Sequence[tuple[GroupHolds, GroupHolds]], reason: str) -> list[Action]:
    """Write the holds and what screening is to know of them."""
    await store.save(work, [after for _, after in changes])
    spans = {after.group_id: after.span(work.now) for _, after in changes}
    quiet = [group_id for group_id, span in spans.items() if span is not None and span.mode is GroupMode.QUIET]
    staff = await list_staff_members(work, quiet) if quiet else {}
    await policies.set_modes(work, {group_id: _with(span, staff.get(group_id)) for group_id, span in spans.items()})
    said: list[Action] = []
    changed = [(before, after) for before, after in changes if before.mode is not after.mode]
    await _announce(work, changed)
    for before, after in changed:
        text = modes.announcement(before, after, work.now)
        if text is not None:
            said.append(post(after.group_id, text, work.now, reason))
            GROUP_MODE_CHANGES.labels(mode=after.mode.value).inc()
    return said


async def _announce(work: Work, changed: Sequence[tuple[GroupHolds, GroupHolds]]) -> None:
    """Tell the other services which modes groups are in now."""
    groups = await policies.groups_of(work, {after.group_id for _, after in changed}) if changed else {}
    for before, after in changed:
        leading = after.leading(work.now)
        data = ChangedMode(
            channel=groups.get(after.group_id, UNKNOWN_GROUP).channel,
            group_id=after.group_id,
            mode=after.mode,
            before=before.mode,
            until=leading.until if leading is not None else None,
        )
        work.emit(ModeChanged.create(after.group_id, data, time=work.now))


def _with(span: ModeSpan | None, staff: Collection[str] | None) -> ModeSpan | None:
    """Members may @mention whoever is staff in their group, beside those who were named."""
    return replace(span, staff=span.staff.union(staff)) if span is not None and staff else span


def _key(group_id: str) -> str:
    return f"mode/{group_id}"

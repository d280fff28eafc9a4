"""Put groups in a mode and take them out of it: by hand, for an incident, and when the time is over."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.directory.store import list_staff_members
from huiqun.contracts.channel import Action
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.moderation import ChangedMode, GroupMode, ModeChanged
from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.channel_requests.model import ActionTerms, group_message
from moderation.delegations.handlers import require_right
from moderation.delegations.model import DelegatedRight
from moderation.groups.handlers import list_group_channels, set_group_modes
from moderation.groups.model import ModeSpan
from moderation.metrics import GROUP_MODE_CHANGES
from moderation.modes import store
from moderation.modes.model import (
    MANUAL_HOLDER,
    GroupModeHolds,
    ModeAnnouncements,
    ModeChange,
    ModeHold,
    mode_change_announcement,
    with_hold,
    without_hold,
)

#: The kind of the task that runs `end_group_mode`; its name stands in documents.
END_GROUP_MODE: Final = "incidents.mode_by_hand_ends"
_ACTION_REASON: Final = "group/mode"


class HeldByIncidentError(ValueError):
    """An incident keeps the group in a severer mode: change it there, or close the incident."""


@dataclass(frozen=True, slots=True)
class SetGroupModeCommand:
    """The mode that a person wants for a group; without an announcement the usual one is sent."""

    group_id: str
    mode: GroupMode
    minutes: int
    reason: str
    announcement: str | None = None
    staff: frozenset[str] = frozenset()


async def set_group_mode(
    work: Work, command: SetGroupModeCommand, check_revision: Callable[[int], None], who: Principal
) -> GroupModeHolds:
    """Set a group's mode by hand, without an incident; raises NotAuthorisedError, HeldByIncidentError."""
    delegations = await require_right(work, who, DelegatedRight.SET_MODES, [command.group_id])
    group = await store.get_mode_holds(work, command.group_id)
    check_revision(group.revision)
    if (severer := group.severer_incident_hold(command.mode, work.now)) is not None:
        raise HeldByIncidentError(severer.holder)
    if command.mode is GroupMode.NORMAL:
        after, actions = await _release_manual_hold(work, group, command.announcement)
    else:
        after, actions = await _hold_manually(work, group, command, who)
    await request_actions(work, *actions)
    detail = {
        "mode": command.mode.value,
        "before": group.mode.value,
        "minutes": command.minutes,
        "reason": command.reason,
        "delegations": delegations,
    }
    await append_audit_entry(work, AuditEntry(who.id, "group.mode.set", f"group/{command.group_id}", detail))
    return after


async def end_group_mode(work: Work, task: Task) -> None:
    """The time of a mode that was set by hand is over."""
    group = await store.get_mode_holds(work, task.payload["group_id"])
    _, actions = await _release_manual_hold(work, group, None)
    await request_actions(work, *actions)


async def hold_groups(work: Work, group_ids: Sequence[str], hold: ModeHold, reason: str) -> list[Action]:
    """Hold groups in a mode for an incident; returns what is to be announced."""
    before = await store.list_mode_holds(work, group_ids)
    return await _apply_mode_changes(work, [(group, with_hold(group, hold, work.now)) for group in before], reason)


async def release_groups(work: Work, group_ids: Sequence[str], holder: str, reason: str) -> list[Action]:
    """Let groups go, which brings back the mode that others hold them in; returns what is to be announced."""
    before = [group for group in await store.list_mode_holds(work, group_ids) if holder in group.holds]
    changes = [(group, without_hold(group, holder, work.now)) for group in before]
    return await _apply_mode_changes(work, changes, reason)


async def _hold_manually(
    work: Work, group: GroupModeHolds, command: SetGroupModeCommand, who: Principal
) -> tuple[GroupModeHolds, list[Action]]:
    until, usual = work.now + timedelta(minutes=command.minutes), ModeAnnouncements()
    hold = ModeHold(
        holder=MANUAL_HOLDER,
        mode=command.mode,
        until=until,
        announcement=command.announcement or usual.announcement_of(command.mode),
        end_announcement=usual.normal,
        set_by=who.id,
        staff=command.staff,
    )
    after = with_hold(group, hold, work.now)
    actions = await _apply_mode_changes(work, [(group, after)], _ACTION_REASON)
    work.schedule(Task(_end_key(group.group_id), END_GROUP_MODE, until, {"group_id": group.group_id}))
    return after, actions


async def _release_manual_hold(
    work: Work, group: GroupModeHolds, announcement: str | None
) -> tuple[GroupModeHolds, list[Action]]:
    work.cancel(_end_key(group.group_id))
    held = group.holds.get(MANUAL_HOLDER)
    if held is None:
        return group, []
    if announcement is not None:
        group = replace(group, holds={**group.holds, MANUAL_HOLDER: replace(held, end_announcement=announcement)})
    after = without_hold(group, MANUAL_HOLDER, work.now)
    return after, await _apply_mode_changes(work, [(group, after)], _ACTION_REASON)


async def _apply_mode_changes(work: Work, changes: Sequence[ModeChange], reason: str) -> list[Action]:
    """Write the holds and what screening is to know of them; returns what is to be announced in the groups."""
    await store.save_mode_holds(work, [after for _, after in changes])
    spans = {after.group_id: after.mode_span(work.now) for _, after in changes}
    quiet = [group_id for group_id, span in spans.items() if span is not None and span.mode is GroupMode.QUIET]
    staff = await list_staff_members(work, quiet) if quiet else {}
    spans = {group_id: _with_group_staff(span, staff.get(group_id)) for group_id, span in spans.items()}
    await set_group_modes(work, spans)
    changed = [(before, after) for before, after in changes if before.mode is not after.mode]
    await _publish_mode_changes(work, changed)
    actions: list[Action] = []
    for before, after in changed:
        text = mode_change_announcement(before, after, work.now)
        if text is not None:
            actions.append(group_message(after.group_id, AddressedText(text), ActionTerms(work.now, reason)))
            GROUP_MODE_CHANGES.labels(mode=after.mode.value).inc()
    return actions


async def _publish_mode_changes(work: Work, changed: Sequence[ModeChange]) -> None:
    """Tell the other services which modes groups are in now."""
    channels = await list_group_channels(work, {after.group_id for _, after in changed})
    for before, after in changed:
        leading = after.leading_hold(work.now)
        data = ChangedMode(
            channel=channels[after.group_id],
            group_id=after.group_id,
            mode=after.mode,
            before=before.mode,
            until=leading.until if leading is not None else None,
        )
        work.emit(ModeChanged.create(after.group_id, data, time=work.now))


def _with_group_staff(span: ModeSpan | None, staff: Collection[str] | None) -> ModeSpan | None:
    """Members may @mention whoever is staff in their group, beside those who were named."""
    return replace(span, staff=span.staff.union(staff)) if span is not None and staff else span


def _end_key(group_id: str) -> str:
    return f"mode/{group_id}"

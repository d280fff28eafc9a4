"""Look an incident up, set the mode of its groups, add notes, contain it; each transaction makes one update of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import rehearse_actions, request_actions
from huiqun.contracts.channel import Action
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.moderation import GroupMode
from huiqun.runtime.errors import NotFoundError
from huiqun.store import Reader
from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.channel_requests.model import ActionTerms, group_message
from moderation.delegations.handlers import require_right
from moderation.delegations.model import DelegatedRight
from moderation.incidents import store
from moderation.incidents.model import Incident, IncidentState, TimelineEntry, TimelineEntryKind
from moderation.metrics import INCIDENTS
from moderation.modes.handlers import hold_groups, release_groups
from moderation.modes.model import ModeHold

#: The kind of the task that runs `end_incident_mode`; its name stands in documents.
END_INCIDENT_MODE: Final = "incidents.mode_ends"
_MODE_NAMES: Final = {GroupMode.NORMAL: "正常", GroupMode.QUIET: "安静", GroupMode.LOCKDOWN: "仅工作人员发言"}


class IncidentNotFoundError(NotFoundError):
    """There is no such incident."""


@dataclass(slots=True)
class IncidentUpdate:
    """What a transaction changes of an incident: all actions and modes pass here, and only here a drill differs.

    `at` is when things happen in it, `actor` who does them; `save` writes the incident back with its new entries.
    """

    work: Work
    incident: Incident
    at: datetime
    actor: str
    entries: list[TimelineEntry] = field(default_factory=list)

    async def add_timeline_entry(
        self, kind: TimelineEntryKind, text: str = "", *, step: str | None = None, actions: Sequence[Action] = ()
    ) -> None:
        """Add to the timeline, and ask the channel for the actions; those of a drill are only recorded."""
        if self.incident.drill:
            await rehearse_actions(self.work, *actions)
        else:
            await request_actions(self.work, *actions)
        action_ids = tuple(action.action_id for action in actions)
        self.entries.append(TimelineEntry(self.incident.id, self.at, self.actor, kind, text, step, action_ids))

    async def post_message(self, text: str, step: str | None = None) -> None:
        """Send a message in every group of the incident."""
        await self.add_timeline_entry(
            TimelineEntryKind.MESSAGE_POSTED, text, step=step, actions=self._message_actions(text)
        )

    async def set_mode(self, mode: GroupMode, minutes: int) -> None:
        """Hold the incident's groups in a mode; the normal one lets them go. In a drill the groups feel nothing."""
        incident = self.incident
        if mode is GroupMode.NORMAL:
            await self.release_mode(TimelineEntryKind.MODE_CHANGED)
            return
        before, until = incident.mode, self.at + timedelta(minutes=minutes)
        incident.mode, incident.mode_until = mode, until
        texts = incident.plan.announcements
        if incident.drill:
            actions = self._message_actions(texts.announcement_of(mode)) if mode is not before else []
        else:
            hold = ModeHold(
                holder=incident.id,
                mode=mode,
                until=until,
                announcement=texts.announcement_of(mode),
                end_announcement=texts.normal,
                set_by=self.actor,
                staff=incident.step_owners,
            )
            actions = await hold_groups(self.work, incident.groups, hold, incident.action_reason)
        self.work.schedule(Task(_mode_key(incident.id), END_INCIDENT_MODE, until, {"incident_id": incident.id}))
        text = f"群模式：{_MODE_NAMES[mode]}，{minutes} 分钟"
        await self.add_timeline_entry(TimelineEntryKind.MODE_CHANGED, text, actions=actions)

    async def release_mode(self, kind: TimelineEntryKind) -> None:
        """Let the incident's groups go, if it holds them; an entry of this kind says so."""
        incident = self.incident
        if incident.mode is GroupMode.NORMAL:
            return
        incident.mode, incident.mode_until = GroupMode.NORMAL, None
        self.work.cancel(_mode_key(incident.id))
        if incident.drill:
            actions = self._message_actions(incident.plan.announcements.normal)
        else:
            actions = await release_groups(self.work, incident.groups, incident.id, incident.action_reason)
        await self.add_timeline_entry(kind, f"群模式：{_MODE_NAMES[GroupMode.NORMAL]}", actions=actions)

    async def append_audit_entry(self, what: str, detail: Mapping[str, Any] | None = None) -> None:
        """Write in the audit log what was done in the incident."""
        entry = AuditEntry(
            self.actor,
            f"incident.{what}",
            f"incident/{self.incident.id}",
            {**(detail or {}), "drill": self.incident.drill},
        )
        await append_audit_entry(self.work, entry)

    async def save(self) -> None:
        """Write the incident back, and what happened in it."""
        await store.save_incident(self.work, self.incident)
        await self.save_timeline()

    async def save_timeline(self) -> None:
        """Write only what happened."""
        await store.add_timeline_entries(self.work, self.entries)
        self.entries.clear()

    def _message_actions(self, text: str) -> list[Action]:
        terms = ActionTerms(self.at, self.incident.action_reason)
        return [group_message(group_id, AddressedText(text), terms) for group_id in self.incident.groups]


async def add_incident(work: Work, incident: Incident) -> IncidentUpdate:
    """Keep a new incident; returns the update by whoever opens it, at the moment of its opening."""
    await store.add_incident(work, incident)
    return IncidentUpdate(work, incident, incident.opened_at, incident.opened_by)


async def begin_incident_update(work: Work, incident_id: str, who: Principal) -> IncidentUpdate:
    """Return an update by somebody who may work on the incident; raises IncidentNotFoundError, NotAuthorisedError."""
    incident = await get_incident(work, incident_id)
    await require_right(work, who, DelegatedRight.HANDLE_INCIDENTS, incident.groups)
    return IncidentUpdate(work, incident, work.now, who.id)


async def find_incident_update_of_task(work: Work, task: Task) -> IncidentUpdate | None:
    """The update by a task, None if the incident is closed. A drill happens when it was due, as scripts need it."""
    incident = await store.find_incident(work, task.payload["incident_id"])
    if incident is None or incident.state is IncidentState.CLOSED:
        return None
    return IncidentUpdate(work, incident, task.due if incident.drill else work.now, "moderation")


async def get_incident(reader: Reader, incident_id: str) -> Incident:
    """The incident of this id; raises IncidentNotFoundError."""
    incident = await store.find_incident(reader, incident_id)
    if incident is None:
        raise IncidentNotFoundError(incident_id)
    return incident


async def list_groups_with_open_incident(work: Work, kind: str) -> set[str]:
    """The groups in which an incident of this kind, and no drill, is not closed yet."""
    return await store.list_groups_with_open_incident(work, kind)


async def set_incident_mode(
    work: Work, incident_id: str, mode: GroupMode, minutes: int | None, who: Principal
) -> Incident:
    """Ask another mode of the incident's groups, or let them go; raises IncidentClosedError."""
    update = await begin_incident_update(work, incident_id, who)
    update.incident.require_not_closed()
    await update.set_mode(mode, minutes or update.incident.plan.mode_minutes)
    await update.append_audit_entry("mode.set", {"mode": mode.value})
    await update.save()
    return update.incident


async def end_incident_mode(work: Work, task: Task) -> None:
    """The time of an incident's mode is over."""
    update = await find_incident_update_of_task(work, task)
    if update is not None:
        await update.release_mode(TimelineEntryKind.MODE_ENDED)
        await update.save()


async def add_timeline_note(work: Work, incident_id: str, text: str, who: Principal) -> Incident:
    """Write something down in the timeline; also after the closing, since memory comes late."""
    update = await begin_incident_update(work, incident_id, who)
    await update.add_timeline_entry(TimelineEntryKind.NOTED, text)
    await update.append_audit_entry("noted")
    await update.save_timeline()
    return update.incident


async def contain_incident(
    work: Work, incident_id: str, check_revision: Callable[[int], None], who: Principal
) -> Incident:
    """It spreads no more; raises IncidentNotOpenError."""
    update = await begin_incident_update(work, incident_id, who)
    check_revision(update.incident.revision)
    await record_containment(update)
    await update.append_audit_entry("contained")
    await update.save()
    return update.incident


async def record_containment(update: IncidentUpdate) -> None:
    """Note that it spreads no more; raises IncidentNotOpenError."""
    update.incident.contain(update.at)
    await update.add_timeline_entry(TimelineEntryKind.CONTAINED)
    INCIDENTS.labels(what="contained", drill=update.incident.drill_label).inc()


def _mode_key(incident_id: str) -> str:
    return f"incident/{incident_id}/mode"

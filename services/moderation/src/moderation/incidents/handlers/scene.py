"""An incident in an open transaction: its actions and modes all pass here, and only here a drill differs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from huiqun.channel.actions.handlers import rehearse_actions, request_actions
from huiqun.contracts.channel import Action
from huiqun.contracts.moderation import GroupMode
from huiqun.work import Task, Work
from moderation.incidents.handlers.modes import hold_groups, release_groups
from moderation.incidents.model.incident import Incident, Progress, State, remind_at
from moderation.incidents.model.modes import Hold
from moderation.incidents.model.timeline import Entry, What
from moderation.incidents.model.wording import post, reason_of
from moderation.incidents.store import incidents as store

REMIND = "incidents.remind"
ESCALATE = "incidents.escalate"
MODE_ENDS = "incidents.mode_ends"
CUE = "incidents.cue"
_MODE_NAMES = {GroupMode.NORMAL: "正常", GroupMode.QUIET: "安静", GroupMode.LOCKDOWN: "仅工作人员发言"}


@dataclass(slots=True)
class Scene:
    """What happens in an incident at a moment; `save` writes the incident back with the entries of its timeline."""

    work: Work
    incident: Incident
    at: datetime
    actor: str
    entries: list[Entry] = field(default_factory=list)

    async def note(
        self, what: What, text: str = "", *, step: str | None = None, actions: Sequence[Action] = ()
    ) -> None:
        """Add to the timeline, and ask the channel for the actions; those of a drill are only recorded."""
        if self.incident.drill:
            await rehearse_actions(self.work, *actions)
        else:
            await request_actions(self.work, *actions)
        asked = tuple(action.action_id for action in actions)
        self.entries.append(Entry(self.incident.id, self.at, self.actor, what, text, step, asked))

    async def say(self, text: str, step: str | None = None) -> None:
        """Send a message in every group of the incident."""
        reason = reason_of(self.incident)
        actions = [post(group_id, text, self.at, reason) for group_id in self.incident.groups]
        await self.note(What.MESSAGE_POSTED, text, step=step, actions=actions)

    async def take_mode(self, mode: GroupMode, minutes: int) -> None:
        """Ask the mode of the incident's groups; the normal one lets them go. In a drill the groups feel nothing."""
        incident = self.incident
        if mode is GroupMode.NORMAL:
            await self.leave_mode(What.MODE_CHANGED)
            return
        before, until = incident.mode, self.at + timedelta(minutes=minutes)
        incident.mode, incident.mode_until = mode, until
        texts, reason = incident.plan.announcements, reason_of(incident)
        if incident.drill:
            said = self._rehearsed(mode) if mode is not before else []
        else:
            hold = Hold(incident.id, mode, until, texts.of(mode), texts.normal, self.actor, incident.staff)
            said = await hold_groups(self.work, incident.groups, hold, reason)
        self.work.schedule(Task(mode_key(incident.id), MODE_ENDS, until, {"incident_id": incident.id}))
        await self.note(What.MODE_CHANGED, f"群模式：{_MODE_NAMES[mode]}，{minutes} 分钟", actions=said)

    async def leave_mode(self, what: What) -> None:
        """Let the incident's groups go, if it holds them."""
        incident = self.incident
        if incident.mode is GroupMode.NORMAL:
            return
        incident.mode, incident.mode_until = GroupMode.NORMAL, None
        self.work.cancel(mode_key(incident.id))
        if incident.drill:
            said = self._rehearsed(GroupMode.NORMAL)
        else:
            said = await release_groups(self.work, incident.groups, incident.id, reason_of(incident))
        await self.note(what, f"群模式：{_MODE_NAMES[GroupMode.NORMAL]}", actions=said)

    def schedule_step(self, progress: Progress) -> None:
        """Remind of the step before it is due, and escalate it when it is."""
        incident, key = self.incident, progress.step.key
        payload = {"incident_id": incident.id, "step": key}
        reminder = remind_at(incident.plan, progress, incident.opened_at)
        self.work.schedule(Task(step_key(incident.id, "remind", key), REMIND, reminder, payload))
        self.work.schedule(Task(step_key(incident.id, "escalate", key), ESCALATE, progress.due_at, payload))

    def cancel_step(self, progress: Progress) -> None:
        """Neither remind of the step nor escalate it any more."""
        for purpose in ("remind", "escalate"):
            self.work.cancel(step_key(self.incident.id, purpose, progress.step.key))

    async def save(self) -> None:
        """Write the incident back, and what happened in it."""
        await store.save(self.work, self.incident)
        await self.save_timeline()

    async def save_timeline(self) -> None:
        """Write only what happened."""
        await store.record(self.work, self.entries)
        self.entries.clear()

    def _rehearsed(self, mode: GroupMode) -> list[Action]:
        incident = self.incident
        text, reason = incident.plan.announcements.of(mode), reason_of(incident)
        return [post(group_id, text, self.at, reason) for group_id in incident.groups]


async def scene_of_task(work: Work, task: Task) -> Scene | None:
    """The scene of a task, None if the incident is closed. A drill happens when it was due, as scripts need it."""
    incident = await store.find(work, task.payload["incident_id"])
    if incident is None or incident.state is State.CLOSED:
        return None
    return Scene(work, incident, task.due if incident.drill else work.now, "moderation")


def mode_key(incident_id: str) -> str:
    """The key of the task that ends the mode of an incident."""
    return f"incident/{incident_id}/mode"


def step_key(incident_id: str, purpose: str, step: str) -> str:
    """The key of a step's task."""
    return f"incident/{incident_id}/{purpose}/{step}"


def cue_key(incident_id: str, number: int) -> str:
    """The key of the task of a part of a drill's script."""
    return f"incident/{incident_id}/cue/{number}"

"""Assign the steps of an incident, remind of them, escalate those that are overdue, complete them."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.groups.handlers import get_group
from moderation.incident_steps.model import (
    assignment_action,
    escalation_action,
    reminder_action,
    reminder_time,
    steps_by_owner,
)
from moderation.incidents.handlers import IncidentUpdate, begin_incident_update, find_incident_update_of_task
from moderation.incidents.model import Incident, StepProgress, TimelineEntryKind
from moderation.metrics import INCIDENT_STEPS

#: The kinds of the tasks that run `remind_of_step` and `escalate_step`; their names stand in documents.
REMIND_OF_STEP: Final = "incidents.remind"
ESCALATE_STEP: Final = "incidents.escalate"


@dataclass(frozen=True, slots=True)
class CompleteStepCommand:
    """A step that was done. Without a message the plan's is sent, if it has one; an empty one sends nothing."""

    step: str
    note: str = ""
    message: str | None = None


async def assign_steps(update: IncidentUpdate, zone: ZoneInfo) -> None:
    """Give the steps to their owners and watch their times; people read these in the time of `zone`."""
    incident = update.incident
    for owner, steps in steps_by_owner(incident.steps).items():
        titles = "、".join(progress.step.title for progress in steps)
        assignment = assignment_action(incident, owner, steps, zone)
        await update.add_timeline_entry(TimelineEntryKind.ASSIGNED, titles, actions=[assignment])
    for progress in incident.steps:
        _schedule_step_tasks(update, progress)


async def complete_step(work: Work, incident_id: str, command: CompleteStepCommand, who: Principal) -> Incident:
    """A person has done a step. Raises what `begin_incident_update` and `Incident.complete_step` raise."""
    update = await begin_incident_update(work, incident_id, who)
    await record_step_completion(update, command)
    await update.append_audit_entry("step.done", {"step": command.step})
    await update.save()
    return update.incident


async def record_step_completion(update: IncidentUpdate, command: CompleteStepCommand) -> None:
    """Note a step as done, with the mode and the message that belong to it."""
    incident = update.incident
    progress = incident.complete_step(command.step, update.at, update.actor, command.note)
    _cancel_step_tasks(update, progress)
    text = f"{progress.step.title}：{progress.note}".rstrip("：")
    await update.add_timeline_entry(TimelineEntryKind.STEP_DONE, text, step=command.step)
    if progress.step.mode is not None:
        await update.set_mode(progress.step.mode, incident.plan.mode_minutes)
    message = progress.step.message if command.message is None else command.message
    if message:
        await update.post_message(message, command.step)
    outcome = "late" if progress.is_late else "in_time"
    INCIDENT_STEPS.labels(outcome=outcome, drill=incident.drill_label).inc()


async def record_missed_steps(update: IncidentUpdate) -> None:
    """Note the steps that have not been done as missed, and neither remind of them nor escalate them any more."""
    for progress in update.incident.steps:
        if progress.done_at is None:
            _cancel_step_tasks(update, progress)
            await update.add_timeline_entry(TimelineEntryKind.STEP_MISSED, progress.step.title, step=progress.step.key)
            INCIDENT_STEPS.labels(outcome="missed", drill=update.incident.drill_label).inc()


async def remind_of_step(work: Work, task: Task) -> None:
    """A step is due soon: remind its owner. After downtime it may be overdue: then the escalation says enough."""
    update = await find_incident_update_of_task(work, task)
    if update is None:
        return
    incident = update.incident
    progress = incident.get_step(task.payload["step"])
    if update.at >= progress.due_at:
        return
    zone = (await get_group(work, incident.groups[0])).settings.timezone
    reminder = reminder_action(incident, progress, zone, update.at)
    await update.add_timeline_entry(
        TimelineEntryKind.REMINDED, progress.step.title, step=progress.step.key, actions=[reminder]
    )
    await update.save_timeline()


async def escalate_step(work: Work, task: Task) -> None:
    """A step is overdue: tell whoever answers for it."""
    update = await find_incident_update_of_task(work, task)
    if update is None:
        return
    incident = update.incident
    progress = incident.get_step(task.payload["step"])
    escalation = escalation_action(incident, progress, update.at)
    await update.add_timeline_entry(
        TimelineEntryKind.ESCALATED, progress.step.title, step=progress.step.key, actions=[escalation]
    )
    INCIDENT_STEPS.labels(outcome="overdue", drill=incident.drill_label).inc()
    await update.save_timeline()


def _schedule_step_tasks(update: IncidentUpdate, progress: StepProgress) -> None:
    """Remind of the step before it is due, and escalate it when it is."""
    incident, key = update.incident, progress.step.key
    payload = {"incident_id": incident.id, "step": key}
    reminder = reminder_time(incident.plan, progress, incident.opened_at)
    update.work.schedule(Task(_task_key(incident.id, "remind", key), REMIND_OF_STEP, reminder, payload))
    update.work.schedule(Task(_task_key(incident.id, "escalate", key), ESCALATE_STEP, progress.due_at, payload))


def _cancel_step_tasks(update: IncidentUpdate, progress: StepProgress) -> None:
    for purpose in ("remind", "escalate"):
        update.work.cancel(_task_key(update.incident.id, purpose, progress.step.key))


def _task_key(incident_id: str, purpose: str, step: str) -> str:
    return f"incident/{incident_id}/{purpose}/{step}"

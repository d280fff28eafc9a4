"""Open an incident by its plan, in earnest or as a drill, and play the script of a drill."""

from datetime import timedelta
from typing import Final

from huiqun.contracts.moderation import GroupMode, IncidentOpened
from huiqun.versions.model import Version
from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.delegations.handlers import require_right
from moderation.delegations.model import DelegatedRight
from moderation.groups.handlers import get_group, list_group_channels
from moderation.incident_openings.model import OpenIncidentCommand, new_incident, opened_incident
from moderation.incident_steps.handlers import CompleteStepCommand, assign_steps, record_step_completion
from moderation.incidents.handlers import (
    IncidentUpdate,
    add_incident,
    find_incident_update_of_task,
    record_containment,
)
from moderation.incidents.model import Incident, IncidentState, TimelineEntryKind
from moderation.metrics import INCIDENTS
from moderation.plans.handlers import PlanNotFoundError, get_plan_in_force
from moderation.plans.model import plan_of_version

#: The kind of the task that runs `run_drill_cue`; its name stands in documents.
RUN_DRILL_CUE: Final = "incidents.cue"
_SCRIPT_ACTOR: Final = "script"


class InvalidOpeningError(ValueError):
    """The incident cannot be opened like this."""


async def open_incident(work: Work, command: OpenIncidentCommand, who: Principal) -> Incident:
    """Start a plan: set the mode, give out the steps, watch their times, schedule the script of a drill.

    Raises NotAuthorisedError, InactivePlanError, InvalidOpeningError.
    """
    delegations = await require_right(work, who, DelegatedRight.HANDLE_INCIDENTS, command.groups)
    version = await _get_fitting_plan(work, command)
    settings = (await get_group(work, command.groups[0])).settings
    incident = new_incident(command, version, settings, who.id, work.now)
    update = await add_incident(work, incident)
    text = f"{incident.display_name}（预案 {incident.kind}@{incident.plan_version}）{incident.reason}"
    await update.add_timeline_entry(TimelineEntryKind.OPENED, text)
    if incident.plan.mode is not GroupMode.NORMAL:
        await update.set_mode(incident.plan.mode, incident.plan.mode_minutes)
    await assign_steps(update, settings.timezone)
    _schedule_drill_script(update)
    await _publish_opening(work, incident)
    detail = {"kind": incident.kind, "groups": list(incident.groups), "delegations": delegations}
    await update.append_audit_entry("opened", detail)
    await update.save()
    return incident


async def run_drill_cue(work: Work, task: Task) -> None:
    """The next part of a drill's script: something happens, a step is done, or the crisis is contained."""
    update = await find_incident_update_of_task(work, task)
    if update is None:
        return
    update.actor, incident = _SCRIPT_ACTOR, update.incident
    cue = incident.cues[task.payload["number"]]
    if cue.step is None and cue.text:
        await update.add_timeline_entry(TimelineEntryKind.SHADOW_EVENT, cue.text)
    if cue.step is not None and incident.get_step(cue.step).done_at is None:
        await record_step_completion(update, CompleteStepCommand(cue.step, cue.text))
    if cue.contains and incident.state is IncidentState.OPEN:
        await record_containment(update)
    await update.save()


def cancel_drill_script(update: IncidentUpdate) -> None:
    """Let nothing of the script happen any more."""
    for number in range(len(update.incident.cues)):
        update.work.cancel(_cue_key(update.incident.id, number))


async def _get_fitting_plan(work: Work, command: OpenIncidentCommand) -> Version:
    try:
        version = await get_plan_in_force(work, command.kind)
    except PlanNotFoundError as error:
        raise InvalidOpeningError(f"there is no plan for {error}") from None
    if command.as_of is not None and command.as_of > work.now:
        raise InvalidOpeningError("as_of is in the future")
    missing = command.steps_missing_in(plan_of_version(version))
    if missing:
        raise InvalidOpeningError(f"the plan has no step {', '.join(sorted(missing))}")
    return version


def _schedule_drill_script(update: IncidentUpdate) -> None:
    incident = update.incident
    for number, cue in enumerate(incident.cues):
        due = incident.opened_at + timedelta(minutes=cue.after_minutes)
        payload = {"incident_id": incident.id, "number": number}
        update.work.schedule(Task(_cue_key(incident.id, number), RUN_DRILL_CUE, due, payload))


async def _publish_opening(work: Work, incident: Incident) -> None:
    INCIDENTS.labels(what="opened", drill=incident.drill_label).inc()
    for group_id, channel in (await list_group_channels(work, incident.groups)).items():
        data = opened_incident(incident, group_id, channel)
        work.emit(IncidentOpened.create(group_id, data, time=work.now))


def _cue_key(incident_id: str, number: int) -> str:
    return f"incident/{incident_id}/cue/{number}"

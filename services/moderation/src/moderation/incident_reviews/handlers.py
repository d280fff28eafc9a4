"""Close an incident with a review, whose lessons become a draft of the plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from huiqun.contracts.moderation import ClosedIncident, IncidentClosed
from huiqun.versions.model import WriteVersionCommand
from huiqun.web import Principal
from huiqun.work import Work
from moderation.groups.handlers import list_group_channels
from moderation.incident_openings.handlers import cancel_drill_script
from moderation.incident_reviews.model import score_step, total_score
from moderation.incident_steps.handlers import record_missed_steps
from moderation.incidents.handlers import IncidentUpdate, begin_incident_update
from moderation.incidents.model import Incident, IncidentReview, TimelineEntryKind
from moderation.metrics import INCIDENTS
from moderation.plans.handlers import INCIDENT_PLANS, get_plan_in_force
from moderation.plans.model import PlanStepChange, apply_step_changes, plan_content, plan_of_version


@dataclass(frozen=True, slots=True)
class CloseIncidentCommand:
    """What an incident is closed with; the changes of its plan's steps become a draft of the plan."""

    review: IncidentReview
    step_changes: Sequence[PlanStepChange] = ()


async def close_incident(
    work: Work,
    incident_id: str,
    command: CloseIncidentCommand,
    check_revision: Callable[[int], None],
    who: Principal,
) -> Incident:
    """End an incident: its groups are let go, its steps scored, its lessons written into a draft of the plan.

    Raises IncidentNotContainedError, IncidentClosedError, InvalidStepChangeError.
    """
    update = await begin_incident_update(work, incident_id, who)
    incident = update.incident
    check_revision(incident.revision)
    incident.close(update.at, who.id, command.review)
    await update.release_mode(TimelineEntryKind.MODE_CHANGED)
    await record_missed_steps(update)
    cancel_drill_script(update)
    incident.score = total_score([score_step(progress, incident.opened_at) for progress in incident.steps])
    if command.review.what_to_change or command.step_changes:
        incident.draft_version = await _write_plan_draft(update, command)
    await update.add_timeline_entry(TimelineEntryKind.CLOSED, f"得分 {incident.score}")
    await _publish_closing(work, incident)
    await update.append_audit_entry("closed", {"score": incident.score, "draft": incident.draft_version})
    await update.save()
    return incident


async def _write_plan_draft(update: IncidentUpdate, command: CloseIncidentCommand) -> int:
    """Write the plan in force, with the changes made, as a new version that nobody has activated yet."""
    incident, work = update.incident, update.work
    in_force = plan_of_version(await get_plan_in_force(work, incident.kind))
    plan = apply_step_changes(in_force, command.step_changes)
    note = f"复盘 {incident.display_name}：{command.review.what_to_change}"[:1_000]
    draft = WriteVersionCommand(plan_content(plan), note, update.actor, {"incident_id": incident.id})
    return (await INCIDENT_PLANS.write_version(work, incident.kind, draft)).number


async def _publish_closing(work: Work, incident: Incident) -> None:
    INCIDENTS.labels(what="closed", drill=incident.drill_label).inc()
    for group_id, channel in (await list_group_channels(work, incident.groups)).items():
        data = ClosedIncident(
            incident_id=incident.id,
            channel=channel,
            group_id=group_id,
            kind=incident.kind,
            drill=incident.drill,
            score=incident.score or 0,
            closed_by=incident.closed_by or "",
            opened_at=incident.opened_at,
            closed_at=incident.closed_at or work.now,
        )
        work.emit(IncidentClosed.create(group_id, data, time=work.now))

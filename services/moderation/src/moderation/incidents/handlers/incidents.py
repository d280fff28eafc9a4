"""Open an incident, do its steps, contain it, close it with a review that feeds the plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.contracts.moderation import ClosedIncident, GroupMode, IncidentClosed, IncidentOpened, OpenedIncident
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.versions.model import Version, WriteVersionCommand
from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.incidents.handlers.authority import authorise
from moderation.incidents.handlers.plans import PLANS, Check, UnknownPlanError, content_of, plan_in_force, plan_of
from moderation.incidents.handlers.scene import CUE, Scene, cue_key
from moderation.incidents.model import wording
from moderation.incidents.model.delegations import Right
from moderation.incidents.model.incident import (
    Incident,
    Opening,
    Progress,
    Review,
    by_owner,
    steps_of,
)
from moderation.incidents.model.plans import StepChange, revised
from moderation.incidents.model.scoring import score_of, total
from moderation.incidents.model.timeline import What
from moderation.incidents.store import incidents as store
from moderation.metrics import INCIDENT_STEPS, INCIDENTS
from moderation.policies import store as policies
from moderation.policies.handlers import find_group
from moderation.policies.model import UNKNOWN_GROUP, GroupSettings


class UnknownIncidentError(LookupError):
    """There is no such incident."""


class UnfitOpeningError(ValueError):
    """The incident cannot be opened like this."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done. Without a message the plan's is sent, if it has one; an empty one sends nothing."""

    step: str
    note: str = ""
    message: str | None = None


async def open_incident(work: Work, opening: Opening, who: Principal) -> Incident:
    """Start a plan: set the mode, give out the steps, watch their times.

    Raises NotAuthorisedError, InactivePlanError, UnfitOpeningError.
    """
    delegations = await authorise(work, who, Right.HANDLE_INCIDENTS, opening.groups)
    version = await _plan_for(work, opening)
    settings = (await find_group(work, opening.groups[0])).settings
    incident = _incident(version, opening, settings, work.now, who.id)
    await store.add(work, incident)
    scene = Scene(work, incident, incident.opened_at, who.id)
    await scene.note(What.OPENED, f"{incident.name}（预案 {incident.kind}@{incident.plan_version}）{incident.reason}")
    if incident.plan.mode is not GroupMode.NORMAL:
        await scene.take_mode(incident.plan.mode, incident.plan.mode_minutes)
    for owner, steps in by_owner(incident.steps).items():
        assigned = wording.assignment(incident, owner, steps, settings.timezone)
        await scene.note(What.ASSIGNED, "、".join(each.step.title for each in steps), actions=[assigned])
    for progress in incident.steps:
        scene.schedule_step(progress)
    for number, cue in enumerate(incident.cues):
        due = incident.opened_at + timedelta(minutes=cue.after_minutes)
        work.schedule(Task(cue_key(incident.id, number), CUE, due, {"incident_id": incident.id, "number": number}))
    await _announce_opening(work, incident)
    await _audit(scene, "opened", {"kind": incident.kind, "groups": list(incident.groups), "delegations": delegations})
    await scene.save()
    return incident


async def _plan_for(work: Work, opening: Opening) -> Version:
    try:
        version = await plan_in_force(work, opening.kind)
    except UnknownPlanError as error:
        raise UnfitOpeningError(f"there is no plan for {error}") from None
    if opening.as_of is not None and opening.as_of > work.now:
        raise UnfitOpeningError("as_of is in the future")
    strange = {cue.step for cue in opening.cues if cue.step and plan_of(version).step(cue.step) is None}
    if strange:
        raise UnfitOpeningError(f"the plan has no step {', '.join(sorted(strange))}")
    return version


async def complete_step(work: Work, incident_id: str, done: Done, who: Principal) -> Incident:
    """A person has done a step. Raises what `find_incident`, `authorise` and `Incident.complete` raise."""
    scene = await _enter(work, incident_id, who)
    await do_step(scene, done)
    await _audit(scene, "step.done", {"step": done.step})
    await scene.save()
    return scene.incident


async def do_step(scene: Scene, done: Done) -> None:
    """Note a step as done, with the mode and the message that belong to it."""
    incident = scene.incident
    progress = incident.complete(done.step, scene.at, scene.actor, done.note)
    scene.cancel_step(progress)
    await scene.note(What.STEP_DONE, f"{progress.step.title}：{progress.note}".rstrip("："), step=done.step)
    if progress.step.mode is not None:
        await scene.take_mode(progress.step.mode, incident.plan.mode_minutes)
    message = progress.step.message if done.message is None else done.message
    if message:
        await scene.say(message, done.step)
    INCIDENT_STEPS.labels(outcome="late" if progress.is_late else "in_time", drill=_flag(incident)).inc()


async def set_mode(work: Work, incident_id: str, mode: GroupMode, minutes: int | None, who: Principal) -> Incident:
    """Ask another mode of the incident's groups, or let them go."""
    scene = await _enter(work, incident_id, who)
    scene.incident.require_unclosed()
    await scene.take_mode(mode, minutes or scene.incident.plan.mode_minutes)
    await _audit(scene, "mode.set", {"mode": mode.value})
    await scene.save()
    return scene.incident


async def add_note(work: Work, incident_id: str, text: str, who: Principal) -> Incident:
    """Write something down in the timeline; also after the closing, since memory comes late."""
    scene = await _enter(work, incident_id, who)
    await scene.note(What.NOTED, text)
    await _audit(scene, "noted", {})
    await scene.save_timeline()
    return scene.incident


async def contain(work: Work, incident_id: str, check: Check, who: Principal) -> Incident:
    """It spreads no more; raises NotOpenError."""
    scene = await _enter(work, incident_id, who)
    check(scene.incident.revision)
    await do_contain(scene)
    await _audit(scene, "contained", {})
    await scene.save()
    return scene.incident


async def do_contain(scene: Scene) -> None:
    """Note that it spreads no more."""
    scene.incident.contain(scene.at)
    await scene.note(What.CONTAINED)
    INCIDENTS.labels(what="contained", drill=_flag(scene.incident)).inc()


@dataclass(frozen=True, slots=True)
class Closing:
    """What an incident is closed with."""

    review: Review
    step_changes: Sequence[StepChange] = ()


async def close(work: Work, incident_id: str, closing: Closing, check: Check, who: Principal) -> Incident:
    """End an incident: its groups are let go, its steps scored, its lessons written into a draft of the plan.

    Raises NotContainedError, IncidentClosedError, UnfitChangeError.
    """
    scene = await _enter(work, incident_id, who)
    incident = scene.incident
    check(incident.revision)
    given = closing.review
    review = Review(given.what_happened, given.cause, given.what_to_change)
    incident.close(scene.at, who.id, review)
    await scene.leave_mode(What.MODE_CHANGED)
    for progress in incident.steps:
        if progress.done_at is None:
            await _miss(scene, progress)
    for number in range(len(incident.cues)):
        work.cancel(cue_key(incident.id, number))
    incident.score = total([score_of(progress, incident.opened_at) for progress in incident.steps])
    if review.what_to_change or closing.step_changes:
        incident.draft_version = await _draft(scene, closing.step_changes)
    await scene.note(What.CLOSED, f"得分 {incident.score}")
    await _announce_closing(work, incident)
    await _audit(scene, "closed", {"score": incident.score, "draft": incident.draft_version})
    await scene.save()
    return incident


async def find_incident(reader: Reader, incident_id: str) -> Incident:
    """The incident of this id; raises UnknownIncidentError."""
    incident = await store.find(reader, incident_id)
    if incident is None:
        raise UnknownIncidentError(incident_id)
    return incident


async def _enter(work: Work, incident_id: str, who: Principal) -> Scene:
    incident = await find_incident(work, incident_id)
    await authorise(work, who, Right.HANDLE_INCIDENTS, incident.groups)
    return Scene(work, incident, work.now, who.id)


async def _miss(scene: Scene, progress: Progress) -> None:
    scene.cancel_step(progress)
    await scene.note(What.STEP_MISSED, progress.step.title, step=progress.step.key)
    INCIDENT_STEPS.labels(outcome="missed", drill=_flag(scene.incident)).inc()


async def _draft(scene: Scene, changes: Sequence[StepChange]) -> int:
    """Write the plan in force, with the changes made, as a new version that nobody has activated yet."""
    incident, work = scene.incident, scene.work
    plan = revised(plan_of(await plan_in_force(work, incident.kind)), changes)
    lesson = incident.review.what_to_change if incident.review else ""
    note = f"复盘 {incident.name}：{lesson}"[:1_000]
    draft = WriteVersionCommand(content_of(plan), note, scene.actor, {"incident_id": incident.id})
    return (await PLANS.write_version(work, incident.kind, draft)).number


async def _audit(scene: Scene, what: str, detail: dict[str, object]) -> None:
    subject = f"incident/{scene.incident.id}"
    detail = {**detail, "drill": scene.incident.drill}
    await append_audit_entry(scene.work, AuditEntry(scene.actor, f"incident.{what}", subject, detail))


def _incident(version: Version, opening: Opening, settings: GroupSettings, now: datetime, who: str) -> Incident:
    plan, opened_at = plan_of(version), opening.as_of or now
    return Incident(
        id=new_id(),
        kind=opening.kind,
        plan=plan,
        plan_version=version.number,
        groups=opening.groups,
        reason=opening.reason,
        drill=opening.drill,
        opened_by=who,
        opened_at=opened_at,
        steps=steps_of(plan, opened_at, opening.owners, settings.owner),
        escalate_to=_first(plan.escalation_id, opening.owners.get(plan.escalation_role), settings.owner),
        cues=opening.cues,
    )


def _first(*people: str | None) -> str | None:
    """The first person who is known."""
    return next((person for person in people if person is not None), None)


async def _announce_opening(work: Work, incident: Incident) -> None:
    INCIDENTS.labels(what="opened", drill=_flag(incident)).inc()
    groups = await policies.groups_of(work, incident.groups)
    for group_id in incident.groups:
        data = OpenedIncident(
            incident_id=incident.id,
            channel=groups.get(group_id, UNKNOWN_GROUP).channel,
            group_id=group_id,
            kind=incident.kind,
            title=incident.plan.title,
            drill=incident.drill,
            mode=incident.mode,
            plan_version=incident.plan_version,
            opened_by=incident.opened_by,
            opened_at=incident.opened_at,
        )
        work.emit(IncidentOpened.create(group_id, data, time=work.now))


async def _announce_closing(work: Work, incident: Incident) -> None:
    INCIDENTS.labels(what="closed", drill=_flag(incident)).inc()
    groups = await policies.groups_of(work, incident.groups)
    for group_id in incident.groups:
        data = ClosedIncident(
            incident_id=incident.id,
            channel=groups.get(group_id, UNKNOWN_GROUP).channel,
            group_id=group_id,
            kind=incident.kind,
            drill=incident.drill,
            score=incident.score or 0,
            closed_by=incident.closed_by or "",
            opened_at=incident.opened_at,
            closed_at=incident.closed_at or work.now,
        )
        work.emit(IncidentClosed.create(group_id, data, time=work.now))


def _flag(incident: Incident) -> str:
    return "yes" if incident.drill else "no"

"""The steps of an incident: who does which until when, and how owners are told, reminded and overdue. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from huiqun.contracts.channel import Action
from huiqun.contracts.channel.mentions import Mention, TextSegment, compose_text, join_texts
from moderation.channel_requests.model import ActionTerms, staff_task
from moderation.incidents.model import Incident, StepProgress
from moderation.plans.model import IncidentPlan


def assign_plan_steps(
    plan: IncidentPlan, opened_at: datetime, owners: Mapping[str, str], group_owner: str | None
) -> list[StepProgress]:
    """The plan's steps with their due times; one goes to its person, else its role's, else the group's owner.

    `owners` are member ids by role.
    """
    return [
        StepProgress(
            step,
            step.owner_id or owners.get(step.owner_role) or group_owner,
            opened_at + timedelta(minutes=step.due_minutes),
        )
        for step in plan.steps
    ]


def reminder_time(plan: IncidentPlan, progress: StepProgress, opened_at: datetime) -> datetime:
    """When to remind of a step: some minutes before it is due, but not before half of its time is over."""
    return progress.due_at - min(timedelta(minutes=plan.remind_minutes), (progress.due_at - opened_at) / 2)


def steps_by_owner(steps: Sequence[StepProgress]) -> dict[str | None, list[StepProgress]]:
    """The steps of each owner, in their order."""
    owned: dict[str | None, list[StepProgress]] = {}
    for progress in steps:
        owned.setdefault(progress.owner, []).append(progress)
    return owned


def assignment_action(incident: Incident, owner: str | None, steps: Sequence[StepProgress], zone: ZoneInfo) -> Action:
    """Tell an owner of their steps and when each is due, in the time of `zone`."""
    lines = [f"{incident.display_name}：应急预案已启动，请完成以下步骤。"]
    if incident.reason:
        lines.append(f"情况：{incident.reason}")
    for number, progress in enumerate(steps, 1):
        detail = f"：{progress.step.detail}" if progress.step.detail else ""
        lines.append(f"{number}. {progress.step.title}（{_clock_text(progress.due_at, zone)} 前）{detail}")
    text = join_texts("\n", lines)
    return staff_task(incident.groups[0], owner, text, ActionTerms(incident.opened_at, incident.action_reason))


def reminder_action(incident: Incident, progress: StepProgress, zone: ZoneInfo, at: datetime) -> Action:
    """Remind the owner of a step that is due soon, in the time of `zone`."""
    text = compose_text(
        "{incident}：步骤“{step}”须在 {due} 前完成，请尽快处理。",
        incident=incident.display_name,
        step=progress.step.title,
        due=_clock_text(progress.due_at, zone),
    )
    return staff_task(incident.groups[0], progress.owner, text, ActionTerms(at, incident.action_reason))


def escalation_action(incident: Incident, progress: StepProgress, at: datetime) -> Action:
    """Tell whoever answers for the plan of a step that is overdue."""
    owner: list[TextSegment] = [progress.step.owner_role, *([Mention(progress.owner)] if progress.owner else [])]
    text = compose_text(
        "{role}请注意，{incident}：步骤“{step}”（{owner}）已超时，请督办。",
        role=incident.plan.escalation_role,
        incident=incident.display_name,
        step=progress.step.title,
        owner=join_texts(" ", owner),
    )
    return staff_task(incident.groups[0], incident.escalate_to, text, ActionTerms(at, incident.action_reason))


def _clock_text(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M}"

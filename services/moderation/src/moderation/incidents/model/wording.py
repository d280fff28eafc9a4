"""What the channel is asked to do in an incident, in which words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from huiqun.contracts.channel import Action, ActionKind
from huiqun.contracts.channel.mentions import AddressedText, Mention, TextSegment, compose_text, join_texts
from huiqun.runtime.ids import new_id
from moderation.incidents.model.incident import Incident, Progress
from moderation.incidents.model.plans import Plan

REQUESTED_BY = "moderation"
_DEADLINE = timedelta(hours=2)


def post(group_id: str, text: str, at: datetime, reason: str) -> Action:
    """Say something in a group."""
    return Action(
        action_id=new_id(),
        group_id=group_id,
        kind=ActionKind.SEND_MESSAGE,
        content=text,
        reason=reason,
        requested_by=REQUESTED_BY,
        deadline=at + _DEADLINE,
    )


def task(group_id: str, staff_id: str | None, text: AddressedText, at: datetime, reason: str) -> Action:
    """Ask a staff member for something; without one, whoever the channel gives the group's tasks to."""
    return Action(
        action_id=new_id(),
        group_id=group_id,
        kind=ActionKind.NOTIFY_STAFF,
        assignee=staff_id,
        content=text.content,
        members=text.members,
        reason=reason,
        requested_by=REQUESTED_BY,
        deadline=at + _DEADLINE,
    )


def assignment(incident: Incident, owner: str | None, steps: Sequence[Progress], zone: ZoneInfo) -> Action:
    """Tell an owner of their steps and when each is due."""
    lines = [f"{incident.name}：应急预案已启动，请完成以下步骤。"]
    if incident.reason:
        lines.append(f"情况：{incident.reason}")
    for number, progress in enumerate(steps, 1):
        detail = f"：{progress.step.detail}" if progress.step.detail else ""
        lines.append(f"{number}. {progress.step.title}（{_clock(progress.due_at, zone)} 前）{detail}")
    return task(incident.groups[0], owner, join_texts("\n", lines), incident.opened_at, reason_of(incident))


def reminder(incident: Incident, progress: Progress, zone: ZoneInfo, at: datetime) -> Action:
    """Remind the owner of a step that is due soon."""
    words = "{incident}：步骤“{step}”须在 {due} 前完成，请尽快处理。"
    text = compose_text(words, incident=incident.name, step=progress.step.title, due=_clock(progress.due_at, zone))
    return task(incident.groups[0], progress.owner, text, at, reason_of(incident))


def escalation(incident: Incident, progress: Progress, at: datetime) -> Action:
    """Tell whoever answers for the plan of a step that is overdue."""
    plan = incident.plan
    owner: list[TextSegment] = [progress.step.owner_role, *([Mention(progress.owner)] if progress.owner else [])]
    text = compose_text(
        "{role}请注意，{incident}：步骤“{step}”（{owner}）已超时，请督办。",
        role=plan.escalation_role,
        incident=incident.name,
        step=progress.step.title,
        owner=join_texts(" ", owner),
    )
    return task(incident.groups[0], incident.escalate_to, text, at, reason_of(incident))


def proposal(kind: str, plan: Plan, group_id: str, staff_id: str | None, found: tuple[int, datetime]) -> Action:
    """Propose to open an incident; `found` is how many messages were blocked, and when that was noticed."""
    trigger, (blocks, at) = plan.trigger, found
    minutes = trigger.minutes if trigger is not None else 0
    where = "各群合计" if trigger is not None and trigger.scope == "all" else "本群"
    text = f"{where}近 {minutes} 分钟有 {blocks} 条消息被拦截，疑似“{plan.title}”。请核实是否启动应急预案（{kind}）。"
    return task(group_id, staff_id, AddressedText(text), at, f"incident/{kind}/proposed")


def reason_of(incident: Incident) -> str:
    """How actions name the incident that they belong to."""
    return f"incident/{incident.kind}/{incident.id}"


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M}"

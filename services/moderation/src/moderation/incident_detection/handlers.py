"""Propose an incident where many messages are blocked; a person decides whether to open it."""

from datetime import timedelta
from typing import Final

from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.actions.store import count_deleted_messages
from huiqun.contracts.moderation import GroupMode
from huiqun.tasks.model import Continue
from huiqun.work import Task, Work
from moderation.groups.handlers import get_group
from moderation.incident_detection import store
from moderation.incident_detection.model import propose_incidents
from moderation.incidents.handlers import list_groups_with_open_incident
from moderation.metrics import INCIDENTS
from moderation.plans.handlers import INCIDENT_PLANS
from moderation.plans.model import IncidentPlan, PlanTrigger, plan_of_version

#: The kind, and the key, of the task that runs `detect_incidents`; its name stands in documents.
DETECT_INCIDENTS: Final = "incidents.watch"
_INTERVAL: Final = timedelta(minutes=1)
_PROPOSAL_PAUSE: Final = timedelta(hours=1)
_MAX_PLANS: Final = 1_000
# What the groups' modes keep out is no sign of an attack.
_EXPECTED_CATEGORIES: Final = tuple(mode.value for mode in GroupMode)


async def schedule_detection(work: Work) -> None:
    """Look at once, and every minute from then on."""
    work.schedule(Task(DETECT_INCIDENTS, DETECT_INCIDENTS, work.now))


async def detect_incidents(work: Work, _task: Task) -> Continue:
    """Compare the triggers of the plans in force with what was blocked lately."""
    for head in await INCIDENT_PLANS.list_heads(work, None, _MAX_PLANS):
        if head.active is not None:
            plan = plan_of_version(await INCIDENT_PLANS.get_version(work, head.document_id, head.active))
            if plan.trigger is not None:
                await _detect_by_trigger(work, head.document_id, plan, plan.trigger)
    return Continue({}, due=work.now + _INTERVAL)


async def _detect_by_trigger(work: Work, kind: str, plan: IncidentPlan, trigger: PlanTrigger) -> None:
    since = work.now - timedelta(minutes=trigger.minutes)
    blocked = await count_deleted_messages(work, since, _EXPECTED_CATEGORIES)
    known = await list_groups_with_open_incident(work, kind)
    fresh = {group_id: number for group_id, number in blocked.items() if group_id not in known}
    for proposal in propose_incidents(kind, plan, trigger, fresh):
        if await store.was_proposed_since(work, proposal.key, work.now - _PROPOSAL_PAUSE):
            continue
        owner = (await get_group(work, proposal.group_id)).settings.owner
        await request_actions(work, proposal.as_action(owner, work.now))
        await store.record_proposal(work, proposal.key)
        INCIDENTS.labels(what="proposed", drill="no").inc()

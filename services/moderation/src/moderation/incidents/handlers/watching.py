"""Proposes an incident where many messages are blocked; a person decides whether to open it."""

from collections.abc import Mapping
from datetime import timedelta

from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.actions.store import count_deleted_messages
from huiqun.contracts.moderation import GroupMode
from huiqun.tasks.model import Continue
from huiqun.work import Task, Work
from moderation.groups.handlers import get_group
from moderation.incidents.handlers.plans import PLANS, plan_of
from moderation.incidents.model import wording
from moderation.incidents.model.plans import Plan, Trigger
from moderation.incidents.store import incidents as store
from moderation.metrics import INCIDENTS

WATCH = "incidents.watch"
_EVERY = timedelta(minutes=1)
_NOT_AGAIN_FOR = timedelta(hours=1)
_MOST_PLANS = 1_000
_EVERYWHERE = "*"
# What the groups' modes keep out is no sign of an attack.
_EXPECTED = tuple(mode.value for mode in GroupMode)


async def start_watching(work: Work) -> None:
    """Look at once, and every minute from then on."""
    work.schedule(Task(WATCH, WATCH, work.now))


async def watch(work: Work, _task: Task) -> Continue:
    """Compare the plans' triggers with what was blocked lately."""
    for head in await PLANS.list_heads(work, None, _MOST_PLANS):
        if head.active is not None:
            plan = plan_of(await PLANS.get_version(work, head.document_id, head.active))
            if plan.trigger is not None:
                await _compare(work, head.document_id, plan, plan.trigger)
    return Continue({}, due=work.now + _EVERY)


async def _compare(work: Work, kind: str, plan: Plan, trigger: Trigger) -> None:
    blocked = await count_deleted_messages(work, work.now - timedelta(minutes=trigger.minutes), _EXPECTED)
    known = await store.groups_in(work, kind)
    fresh = {group_id: number for group_id, number in blocked.items() if group_id not in known}
    for group_id, number in _jumps(fresh, trigger).items():
        key = f"{kind}/{_EVERYWHERE if trigger.scope == 'all' else group_id}"
        if await store.proposed_since(work, key, work.now - _NOT_AGAIN_FOR):
            continue
        owner = (await get_group(work, group_id)).settings.owner
        proposal = wording.proposal(kind, plan, group_id, owner, (number, work.now))
        await request_actions(work, proposal)
        await store.note_proposal(work, key)
        INCIDENTS.labels(what="proposed", drill="no").inc()


def _jumps(blocked: Mapping[str, int], trigger: Trigger) -> dict[str, int]:
    """The groups to speak up in, with what was counted; over all groups, it is the one where most was blocked."""
    if trigger.scope == "all":
        together = sum(blocked.values())
        return {max(blocked, key=lambda group_id: blocked[group_id]): together} if together >= trigger.blocks else {}
    return {group_id: number for group_id, number in blocked.items() if number >= trigger.blocks}

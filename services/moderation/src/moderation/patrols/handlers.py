"""Go through a group, on schedule and when asked: what has happened, what waits, and who has to see to it."""

from datetime import timedelta
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.actions.store import count_open_actions
from huiqun.contracts.moderation import Verdict
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.archive.handlers import count_verdicts
from moderation.archive.model import MessageSearch
from moderation.cases.handlers import list_open_cases
from moderation.channel_requests.model import ActionTerms, staff_task
from moderation.group_policies.handlers import get_group_context
from moderation.group_policies.model import GroupContext
from moderation.patrols import store
from moderation.patrols.model import Patrol, count_overdue, describe_patrol
from moderation.schedules.handlers import schedule_next

# How far the first patrol of a group looks back.
_FIRST_PERIOD: Final = timedelta(days=1)


async def run_scheduled_patrol(work: Work, task: Task) -> None:
    """Go through a group at the time that its policy schedules, and set the next time."""
    context = await get_group_context(work, task.payload["group_id"])
    rule = context.rules.membership.patrol
    if rule is None or context.is_dismissed:
        return
    await _patrol_group(work, context)
    schedule_next(work, "patrol", context, max(task.due, work.now))


async def run_patrol(work: Work, group_id: str, actor: str) -> Patrol:
    """Go through a group because somebody asks, whether or not its policy schedules patrols."""
    patrol = await _patrol_group(work, await get_group_context(work, group_id))
    await append_audit_entry(work, AuditEntry(actor, "group.patrolled", f"group/{group_id}", {"patrol": patrol.id}))
    return patrol


async def _patrol_group(work: Work, context: GroupContext) -> Patrol:
    """Look, keep what was found, and tell the group's owner if there is anything to tell."""
    group = context.group
    since = await store.find_last_patrol_time(work, group.id) or work.now - _FIRST_PERIOD
    judged = await count_verdicts(work, MessageSearch(group.id, since, work.now))
    waiting = await list_open_cases(work, group.id)
    patrol = Patrol(
        id=new_id(),
        group_id=group.id,
        since=since,
        at=work.now,
        judged={Verdict(verdict): number for verdict, number in judged.items()},
        waiting=len(waiting),
        overdue=count_overdue(waiting, work.now),
        oldest=waiting[0].opened_at if waiting else None,
        open_actions=await count_open_actions(work, group_id=group.id),
    )
    await store.insert_patrol(work, patrol)
    if patrol.has_news:
        text = describe_patrol(patrol, group.name, group.settings.timezone)
        task = staff_task(group.id, group.settings.owner, text, ActionTerms(work.now))
        await request_actions(work, task.model_copy(update={"reason": "patrol"}))
    return patrol

"""Go through a group, on schedule and when asked: what has happened, what waits, and who has to see to it."""

from datetime import timedelta

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.channel.actions.store import count_open_actions
from huiqun.contracts.moderation import Verdict
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.archive.store import messages
from moderation.archive.store.messages import Search
from moderation.cases.model.patrol import Patrol, late, summary
from moderation.cases.store import cases, patrols
from moderation.enforcement import model as enforcement
from moderation.membership.handlers.in_force import InForce, in_force
from moderation.membership.handlers.planning import schedule_next

# How far the first patrol of a group looks back.
_FIRST = timedelta(days=1)


async def go_on_schedule(work: Work, task: Task) -> None:
    """The time has come: go through the group, and set the next time."""
    now = await in_force(work, task.payload["group_id"])
    if now.rules.patrol is None or now.is_dismissed:
        return
    await _go(work, now)
    schedule_next(work, "patrol", now, now.rules.patrol.schedule, max(task.due, work.now))


async def go_now(work: Work, group_id: str, actor: str) -> Patrol:
    """Go through a group because somebody asks, whether or not its policy schedules patrols."""
    patrol = await _go(work, await in_force(work, group_id))
    await append_audit_entry(work, AuditEntry(actor, "group.patrolled", f"group/{group_id}", {"patrol": patrol.id}))
    return patrol


async def _go(work: Work, now: InForce) -> Patrol:
    """Look, keep what was found, and tell the group's owner if there is anything to tell."""
    group = now.group
    since = await patrols.last_at(work, group.id) or work.now - _FIRST
    judged = await messages.verdicts(work, Search(group.id, since, work.now))
    waiting = await cases.waiting_in(work, group.id)
    patrol = Patrol(
        id=new_id(),
        group_id=group.id,
        since=since,
        at=work.now,
        judged={Verdict(verdict): number for verdict, number in judged.items()},
        waiting=len(waiting),
        overdue=late(waiting, work.now),
        oldest=waiting[0].opened_at if waiting else None,
        open_actions=await count_open_actions(work, group_id=group.id),
    )
    await patrols.keep(work, patrol)
    if patrol.has_news:
        text = summary(patrol, group.name, group.settings.timezone)
        task = enforcement.task(group.id, group.settings.owner, text, work.now, new_id())
        await request_actions(work, task.model_copy(update={"reason": "patrol"}))
    return patrol

"""Set a group's tasks by what its policy schedules."""

from collections.abc import Mapping
from datetime import datetime

from huiqun.work import Task, Work
from moderation.group_policies.model import GroupContext
from moderation.policies.sections.schedules import find_next_occurrence
from moderation.schedules.model import SCHEDULED_KINDS, describe_schedules, list_schedules


def schedule_next(work: Work, name: str, context: GroupContext, after: datetime) -> None:
    """Set the group's task of this name for the next time after that, if its policy schedules it ever again.

    After downtime the times that were missed are made up for once, not one by one: `after` is then the present.
    """
    schedule = list_schedules(context).get(name)
    due = find_next_occurrence(schedule, context.group.settings.timezone, after) if schedule else None
    if due is not None:
        work.schedule(Task(_task_key(name, context), SCHEDULED_KINDS[name], due, {"group_id": context.group.id}))


def reschedule_group(work: Work, context: GroupContext, planned: Mapping[str, str]) -> None:
    """Set the tasks of a group anew whose schedules are other than was planned before."""
    schedules = describe_schedules(context)
    for name in SCHEDULED_KINDS:
        if schedules.get(name) == planned.get(name):
            continue  # left alone: a time that is due already must not be moved on
        work.cancel(_task_key(name, context))
        if name in schedules:
            schedule_next(work, name, context, work.now)


def _task_key(name: str, context: GroupContext) -> str:
    return f"{name}/{context.group.id}"

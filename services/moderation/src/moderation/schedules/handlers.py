"""Read what holds for a group, and set its tasks by what its policy schedules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from huiqun.store import Reader
from huiqun.work import Task, Work
from moderation.group_policies.handlers import get_policy_in_force
from moderation.groups.handlers import get_group
from moderation.groups.model import GroupRecord
from moderation.policies.model import Policy
from moderation.policies.sections.membership import MembershipRules
from moderation.policies.sections.schedules import find_next_occurrence
from moderation.schedules.model import SCHEDULED_KINDS, describe_schedules, list_schedules


@dataclass(frozen=True, slots=True)
class GroupContext:
    """A group and its policy, as of the transaction in which they were read."""

    group: GroupRecord
    policy: Policy

    @property
    def rules(self) -> MembershipRules:
        """What the policy says about members."""
        return self.policy.rules.membership

    @property
    def is_dismissed(self) -> bool:
        """Whether the group is no more."""
        return self.group.dismissed_at is not None

    @property
    def schedules(self) -> Mapping[str, str]:
        """What is to be done at set times, by name: "cron expression, time zone"."""
        return {} if self.is_dismissed else describe_schedules(self.rules, self.group.settings.timezone)


async def get_group_context(reader: Reader, group_id: str) -> GroupContext:
    """Read what holds for a group at this moment: the defaults where nobody has told of it."""
    group = await get_group(reader, group_id)
    return GroupContext(group, await get_policy_in_force(reader, group.settings))


def schedule_next(work: Work, name: str, context: GroupContext, after: datetime) -> None:
    """Set the group's task of this name for the next time after that, if its policy schedules it ever again.

    After downtime the times that were missed are made up for once, not one by one: `after` is then the present.
    """
    schedule = list_schedules(context.rules).get(name)
    due = find_next_occurrence(schedule, context.group.settings.timezone, after) if schedule else None
    if due is not None:
        work.schedule(Task(_task_key(name, context), SCHEDULED_KINDS[name], due, {"group_id": context.group.id}))


def reschedule_group(work: Work, context: GroupContext, planned: Mapping[str, str]) -> None:
    """Set the tasks of a group anew whose schedules are other than was planned before."""
    schedules = context.schedules
    for name in SCHEDULED_KINDS:
        if schedules.get(name) == planned.get(name):
            continue  # left alone: a time that is due already must not be moved on
        work.cancel(_task_key(name, context))
        if name in schedules:
            schedule_next(work, name, context, work.now)


def _task_key(name: str, context: GroupContext) -> str:
    return f"{name}/{context.group.id}"

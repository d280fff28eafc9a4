"""What a policy has done in a group at set times: post the rules, check the roster, patrol."""

from collections.abc import Mapping
from typing import Final

from moderation.group_policies.model import GroupContext

POST_RULES: Final = "membership.rules"
CHECK_ROSTER: Final = "membership.roster"
PATROL_GROUP: Final = "membership.patrol"
#: The kinds of the tasks, by the names that schedules are kept under.
SCHEDULED_KINDS: Final[Mapping[str, str]] = {"rules": POST_RULES, "roster": CHECK_ROSTER, "patrol": PATROL_GROUP}


def list_schedules(context: GroupContext) -> Mapping[str, str]:
    """Return the cron expressions of what a group's policy schedules, by name; none in a group that is dismissed."""
    if context.is_dismissed:
        return {}
    rules = context.rules.membership
    schedules = {
        "rules": rules.posting.schedule if rules.posting and rules.has_rules else None,
        "roster": rules.roster.schedule if rules.roster else None,
        "patrol": rules.patrol.schedule if rules.patrol else None,
    }
    return {name: schedule for name, schedule in schedules.items() if schedule is not None}


def describe_schedules(context: GroupContext) -> Mapping[str, str]:
    """Return what tells two schedules of a group apart: "cron expression, time zone", by name."""
    zone = context.group.settings.timezone
    return {name: f"{schedule}, {zone.key}" for name, schedule in list_schedules(context).items()}

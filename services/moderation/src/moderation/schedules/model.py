"""What a policy has done in a group at set times: post the rules, check the roster, patrol."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from moderation.policies.sections.membership import MembershipRules

POST_RULES: Final = "membership.rules"
CHECK_ROSTER: Final = "membership.roster"
PATROL_GROUP: Final = "membership.patrol"
#: The kinds of the tasks, by the names that schedules are kept under.
SCHEDULED_KINDS: Final[Mapping[str, str]] = {"rules": POST_RULES, "roster": CHECK_ROSTER, "patrol": PATROL_GROUP}


def list_schedules(rules: MembershipRules) -> Mapping[str, str]:
    """Return the cron expressions of what a policy schedules, by name."""
    schedules = {
        "rules": rules.posting.schedule if rules.posting and rules.has_rules else None,
        "roster": rules.roster.schedule if rules.roster else None,
        "patrol": rules.patrol.schedule if rules.patrol else None,
    }
    return {name: schedule for name, schedule in schedules.items() if schedule is not None}


def describe_schedules(rules: MembershipRules, zone: ZoneInfo) -> Mapping[str, str]:
    """Return what tells two plans apart: "cron expression, time zone", by name."""
    return {name: f"{schedule}, {zone.key}" for name, schedule in list_schedules(rules).items()}

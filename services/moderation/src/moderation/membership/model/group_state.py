"""What membership remembers of a group between one event and the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from moderation.policies.sections.leaving import LeavingRule


@dataclass(slots=True)
class GroupState:
    """`newcomers` are those not greeted yet, member id to whether the name may be told, in the order they came.

    `greet_at` is when they will be. `rules_version` is what members were last told; `schedules` what the group's
    tasks were set by, their names to "cron expression, time zone". `planned` is false until the group's policy was
    first looked at.
    """

    group_id: str
    planned: bool = False
    rules_version: str | None = None
    schedules: Mapping[str, str] = field(default_factory=dict)
    newcomers: dict[str, bool] = field(default_factory=dict)
    greet_at: datetime | None = None
    posted_at: datetime | None = None
    leaving_answered_at: datetime | None = None

    def may_answer_leaving(self, rule: LeavingRule, now: datetime) -> bool:
        """Whether the last answer to who wants to leave is long enough ago."""
        last = self.leaving_answered_at
        return last is None or now - last >= timedelta(minutes=rule.cooldown_minutes)

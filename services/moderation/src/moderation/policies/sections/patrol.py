"""What a policy says about patrols: when the group is gone through."""

from pydantic import Field

from moderation.policies.sections.schedules import Schedule
from moderation.policies.sections.section import PolicySection


class PatrolRule(PolicySection):
    """The group is gone through; its owner is told what happened since the last time, and what waits for a person."""

    schedule: Schedule = Field(
        default="0 9,18 * * *",
        description="Schedule of the patrols, a cron expression in the group's time zone.",
        examples=["0 9,18 * * *"],
    )

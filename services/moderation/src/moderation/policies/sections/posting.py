"""What a policy says about the posting of the rules in the group."""

from pydantic import Field

from moderation.policies.sections.schedules import Schedule
from moderation.policies.sections.section import PolicySection


class PostingRule(PolicySection):
    """The rules are posted in the group."""

    schedule: Schedule | None = Field(
        default=None,
        description="Schedule of the posting, a cron expression in the group's time zone; null for none.",
        examples=["0 10 * * MON"],
    )
    on_change: bool = Field(
        default=True, description="Whether the rules are also posted when they change.", examples=[True]
    )

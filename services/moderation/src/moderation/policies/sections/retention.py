"""What a policy says about records: how long they are kept."""

from pydantic import Field

from moderation.policies.sections.section import PolicySection


class RetentionRule(PolicySection):
    """How long what is said in a group is kept, unless a legal hold keeps it longer."""

    days: int = Field(
        default=365,
        ge=1,
        le=36_500,
        description="Whole days that a message is kept, from when it was archived.",
        examples=[1_095],
    )

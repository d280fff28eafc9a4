"""What every rule is that messages are judged by."""

from typing import Any

from pydantic import Field

from huiqun.contracts.moderation import Verdict
from moderation.policies.sections.section import PolicySection


def verdict_field(default: Verdict) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    """Declare what a breach leads to."""
    return Field(default=default, description="What a breach of the rule leads to.", examples=[default.value])


class Rule(PolicySection):
    """Something that messages are judged by."""

    shadow: bool = Field(
        default=False,
        description="Whether the rule is on trial: findings are recorded and counted, and nothing follows.",
        examples=[False],
    )

    def is_on_trial(self, category: str) -> bool:  # noqa: ARG002 - a rule with categories may try some of them
        """Whether nothing follows from a finding of this category."""
        return self.shadow

"""A group with the policy that is in force for it, and what that is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.groups.model import GroupRecord
from moderation.policies.model import Policy
from moderation.policies.sections.layers import PolicyLayer
from moderation.policies.sections.rules import Rules


class InactivePolicyError(ValueError):
    """The policy has no version in force, so no group can be given it."""


@dataclass(frozen=True, slots=True)
class GroupContext:
    """A group and the policy in force for it, as of the transaction in which they were read."""

    group: GroupRecord
    policy: Policy

    @property
    def rules(self) -> Rules:
        """The rules of the policy."""
        return self.policy.rules

    @property
    def is_dismissed(self) -> bool:
        """Whether the group is no more."""
        return self.group.dismissed_at is not None


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """A group's context, and what its policy is made of, the topmost layer first."""

    context: GroupContext
    layers: Sequence[PolicyLayer]

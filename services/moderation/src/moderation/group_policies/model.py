"""The policy that a group is under, and what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.groups.model import GroupRecord
from moderation.policies.model import Policy
from moderation.policies.sections.layers import Layer
from moderation.policies.sections.membership import MembershipRules


class InactivePolicyError(ValueError):
    """The policy has no version in force, so no group can be given it."""


@dataclass(frozen=True, slots=True)
class GroupContext:
    """A group and the policy it is under, read in one transaction."""

    group: GroupRecord
    policy: Policy

    @property
    def membership(self) -> MembershipRules:
        """What the policy says about members."""
        return self.policy.rules.membership

    @property
    def is_dismissed(self) -> bool:
        """Whether the group is no more."""
        return self.group.dismissed_at is not None


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """The policy that a group's messages are judged by, and what it is made of, the topmost layer first."""

    record: GroupRecord
    policy: Policy
    layers: Sequence[Layer]

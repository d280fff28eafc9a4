"""The policy that a group is under, and what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.groups.model import GroupRecord
from moderation.policies.model import Policy
from moderation.policies.sections.layers import PolicyLayer


class InactivePolicyError(ValueError):
    """The policy has no version in force, so no group can be given it."""


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """The policy that a group's messages are judged by, and what it is made of, the topmost layer first."""

    record: GroupRecord
    policy: Policy
    layers: Sequence[PolicyLayer]

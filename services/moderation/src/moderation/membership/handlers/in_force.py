"""The group and the policy that a task or a request works by, read in its own transaction."""

from dataclasses import dataclass

from huiqun.store import Reader
from moderation.group_policies.handlers import get_policy_in_force
from moderation.groups.handlers import get_group
from moderation.groups.model import GroupRecord
from moderation.policies.model import Policy
from moderation.policies.sections.membership import MembershipRules


@dataclass(frozen=True, slots=True)
class InForce:
    """A group and its policy, as of now."""

    group: GroupRecord
    policy: Policy

    @property
    def rules(self) -> MembershipRules:
        """What the policy says about members."""
        return self.policy.rules.membership

    @property
    def is_dismissed(self) -> bool:
        """Whether the group is no more."""
        return self.group.dismissed_at is not None


async def in_force(reader: Reader, group_id: str) -> InForce:
    """What holds for a group at this moment."""
    group = await get_group(reader, group_id)
    return InForce(group, await get_policy_in_force(reader, group.settings))

"""What is tried: which version, over which messages, and what would be in force if it were."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from moderation.groups.model import GroupSettings, RuleException
from moderation.policies.model import DEFAULT_POLICY, PolicyVersion, choose_version
from moderation.rulebook.model import PolicySnapshot, add_exceptions

# The longest that a rule looks back: duplicates of a day, and the quota of a calendar day of 25 hours.
WARM_UP = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Trial:
    """Judge again what was sent from `since` and before `until`: at most `limit` messages, group by group.

    Without `groups` it is about those that are under the policy, and for the default about all, which inherit from it.
    Groups that are named are judged as if they were under it.
    """

    policy_id: str
    version: int
    since: datetime
    until: datetime
    groups: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def label(self) -> str:
        """The version as people name it."""
        return f"{self.policy_id}@{self.version}"


def policies_in(
    trial: Trial, version: PolicyVersion, now: PolicySnapshot, exceptions: Mapping[str, tuple[RuleException, ...]]
) -> PolicySnapshot:
    """The policies as they would be with the version in force; `exceptions` are those of the period.

    The modes of groups are left out: of those that were, the archive has what came of them.
    """
    groups = add_exceptions(now.groups, exceptions)
    for group_id in trial.groups:
        groups[group_id] = replace(groups.get(group_id, GroupSettings()), policy_id=trial.policy_id)
    without_modes = {group_id: replace(settings, mode=None) for group_id, settings in groups.items()}
    return PolicySnapshot.compose({**now.versions, trial.policy_id: version}, without_modes)


def scope_of(trial: Trial, policies: PolicySnapshot) -> tuple[str, ...] | None:
    """The groups whose messages are judged again; None for all."""
    if trial.groups:
        return trial.groups
    if trial.policy_id == DEFAULT_POLICY:
        return None
    return tuple(
        group_id
        for group_id, settings in policies.groups.items()
        if choose_version(policies.versions, settings).policy_id == trial.policy_id
    )

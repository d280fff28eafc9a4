"""A backtest: which version is tried over which messages, and what would be in force if it were."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from moderation.groups.model import GroupSettings, RuleException
from moderation.policies.model import DEFAULT_POLICY, PolicyVersion, choose_version
from moderation.rulebook.model import PolicySnapshot, add_exceptions

# The longest that a rule looks back: duplicates of a day, and the quota of a calendar day of 25 hours.
WARM_UP: Final = timedelta(hours=25)
#: The kind of the task that runs a backtest.
RUN_BACKTEST: Final = "backtests.run"
#: The states of a backtest that has not come to its end.
OPEN_STATES: Final = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class RequestBacktestCommand:
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


@dataclass(frozen=True, slots=True)
class Backtest:
    """A backtest. `progress` of `total` messages are judged; `report` is there when the state is done."""

    id: str
    command: RequestBacktestCommand
    state: str
    progress: int
    total: int | None
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None = None
    error: str | None = None
    report: Mapping[str, Any] | None = None


def backtest_task_key(backtest_id: str) -> str:
    """The key of the task that runs a backtest."""
    return f"backtest/{backtest_id}"


def policies_under_version(
    command: RequestBacktestCommand,
    version: PolicyVersion,
    in_force: PolicySnapshot,
    exceptions: Mapping[str, tuple[RuleException, ...]],
) -> PolicySnapshot:
    """The policies as they would be with the version in force; `exceptions` are those of the period.

    The modes of groups are left out: of those that were, the archive has what came of them.
    """
    groups = add_exceptions(in_force.groups, exceptions)
    for group_id in command.groups:
        groups[group_id] = replace(groups.get(group_id, GroupSettings()), policy_id=command.policy_id)
    without_modes = {group_id: replace(settings, mode=None) for group_id, settings in groups.items()}
    return PolicySnapshot.compose({**in_force.versions, command.policy_id: version}, without_modes)


def groups_in_scope(command: RequestBacktestCommand, policies: PolicySnapshot) -> tuple[str, ...] | None:
    """The groups whose messages are judged again; None for all."""
    if command.groups:
        return command.groups
    if command.policy_id == DEFAULT_POLICY:
        return None
    return tuple(
        group_id
        for group_id, settings in policies.groups.items()
        if choose_version(policies.versions, settings).policy_id == command.policy_id
    )

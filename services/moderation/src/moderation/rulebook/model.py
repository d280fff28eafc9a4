"""A snapshot of everything a judgement needs besides the message and the member's standing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from huiqun.contracts.channel import GroupKind
from moderation.groups.model import UNKNOWN_GROUP, GroupSettings, RuleException
from moderation.lexicon.matching.matcher import Lexicon
from moderation.policies.model import (
    BUILT_IN_POLICY,
    BUILT_IN_PRIVATE_POLICY,
    DEFAULT_POLICY,
    ActiveVersions,
    Policy,
    build_policy,
)
from moderation.retention.model import NO_HOLDS, OpenHolds


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """The policies in force and the settings of the groups, as of one moment.

    `versions` is what the versions in force say, `active` has the effective policies by id, `private` what they are in
    private groups, `own` those of the groups that have rules of their own, by group.
    """

    active: Mapping[str, Policy]
    groups: Mapping[str, GroupSettings]
    own: Mapping[str, Policy] = field(default_factory=dict)
    versions: ActiveVersions = field(default_factory=dict)
    private: Mapping[str, Policy] = field(default_factory=dict)

    @classmethod
    def compose(cls, versions: ActiveVersions, groups: Mapping[str, GroupSettings], before: Self | None = None) -> Self:
        """Work out the effective policies; those that are as they were `before` are kept."""
        if before is None or before.versions != versions:
            active = {policy_id: build_policy(versions, GroupSettings(policy_id)) for policy_id in versions}
            private = {
                policy_id: build_policy(versions, GroupSettings(policy_id, GroupKind.PRIVATE)) for policy_id in versions
            }
            before = cls(active, {}, {}, versions, private)
        own = {
            group_id: _kept(before.own.get(group_id), settings) or build_policy(versions, settings)
            for group_id, settings in groups.items()
            if settings.own is not None
        }
        return cls(before.active, groups, own, versions, before.private)

    def settings_of(self, group_id: str) -> GroupSettings:
        """Get the group's settings; the defaults for a group nobody has told us of."""
        return self.groups.get(group_id, UNKNOWN_GROUP)

    def policy_of(self, settings: GroupSettings) -> Policy:
        """Get the group's policy; the default where it has none of its own."""
        if settings.own is not None:
            return self.own[settings.own.group_id]
        is_private = settings.kind is GroupKind.PRIVATE
        known, built_in = (self.private, BUILT_IN_PRIVATE_POLICY) if is_private else (self.active, BUILT_IN_POLICY)
        chosen = known.get(settings.policy_id) if settings.policy_id else None
        return chosen or known.get(DEFAULT_POLICY, built_in)

    def list_policies(self) -> tuple[Policy, ...]:
        """List every policy that a group may be judged by."""
        return (*self.active.values(), *self.own.values(), self.policy_of(UNKNOWN_GROUP))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Immutable: a batch is judged by one of them from its first message to its last.

    `bits` gives each category of the lexicon its bit; a policy's mask has the bits of the categories it acts on.
    `holds` are the legal holds that are open.
    """

    policies: PolicySnapshot
    lexicon: Lexicon
    lexicon_version: str
    bits: Mapping[str, int]
    holds: OpenHolds = NO_HOLDS
    _masks: dict[tuple[str, int, str | None, GroupKind], int] = field(default_factory=dict)

    def mask_of(self, policy: Policy) -> int:
        """Get the bits of the categories that the policy acts on."""
        known = self._masks.get(policy.key)
        if known is None:
            chosen = [rule.categories for rule in (policy.rules.lexicon, policy.rules.staff) if rule is not None]
            wanted = {category for rule in chosen for category, outcome in rule.items() if outcome is not None}
            known = self._masks[policy.key] = sum(self.bits.get(category, 0) for category in wanted)
        return known


@dataclass(frozen=True, slots=True)
class RulebookSource:
    """Where routes find the rulebook in force: `current` returns it."""

    current: Callable[[], Rulebook]


EMPTY_RULEBOOK = Rulebook(PolicySnapshot({}, {}), Lexicon.empty(), "none", {})


def add_exceptions(
    groups: Mapping[str, GroupSettings], exceptions: Mapping[str, tuple[RuleException, ...]]
) -> dict[str, GroupSettings]:
    """Give the settings of the groups, each with its exceptions; also for groups that nobody has told us of."""
    excepted = {
        group_id: replace(groups.get(group_id, UNKNOWN_GROUP), exceptions=granted)
        for group_id, granted in exceptions.items()
    }
    return {**groups, **excepted}


def _kept(known: Policy | None, settings: GroupSettings) -> Policy | None:
    """Keep the policy known of a group, if its own rules are the same and it still has the policy that they change."""
    if known is None or (known.own, known.kind) != (settings.own, settings.kind):
        return None
    return known if known.id == (settings.policy_id or DEFAULT_POLICY) else None

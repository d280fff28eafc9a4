"""Versions of policies, groups, and the snapshot of both that screening reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from huiqun.channel.directory.model import DEFAULT_TIMEZONE
from huiqun.contracts.channel import Capabilities, EditedMessage, GroupKind, Message, Support
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import GroupMode
from huiqun.versions.model import Version, version_label_of
from moderation.policies.model.exceptions import RuleException
from moderation.policies.model.inheritance import Changes, Layer, effective
from moderation.policies.model.rules import Rules

DEFAULT_POLICY = "default"
GROUP_SOURCE = "group"
PRIVATE_SOURCE = "private"
# What holds in the conversation of one customer with one member of staff, whatever the policy: it is no community.
_PRIVATE: Changes = {"quota": None, "membership": {"welcome": None, "consent": None, "posting": None}}


@dataclass(frozen=True, slots=True)
class Written:
    """What a version of a policy says, without what it inherits."""

    policy_id: str
    version: int
    changes: Changes

    @classmethod
    def in_version(cls, version: Version) -> Self:
        """Return what this version of a policy says."""
        return cls(version.document_id, version.number, version.content)

    @property
    def label(self) -> str:
        """How people name it: "default@3"."""
        return version_label_of(self.policy_id, self.version)


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What a group changes in its policy, for itself alone; `revision` is the version of it that is in force."""

    group_id: str
    revision: int
    changes: Changes


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a policy with the rules that hold under it, own rules of a group included.

    `above` is the version of the default that it inherits from; 0 for what comes with Huiqun. `label` is how decisions
    name it, so that the rules can be found again: "default@3"; "vip@3+d2+g1+p" where it inherits from version 2 of the
    default, under the first own rules of a group, which is private. `key` sets it apart from the others of a moment.
    """

    id: str
    version: int
    rules: Rules
    own: OwnRules | None = None
    above: int = 0
    kind: GroupKind = GroupKind.GROUP
    # Made once: each message asks for both.
    label: str = field(init=False, compare=False)
    key: tuple[str, int, str | None, GroupKind] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        above = f"+d{self.above}" if self.above else ""
        own = f"+g{self.own.revision}" if self.own else ""
        private = "+p" if self.kind is GroupKind.PRIVATE else ""
        object.__setattr__(self, "label", f"{self.id}@{self.version}{above}{own}{private}")
        key = self.id, self.version, self.own.group_id if self.own else None, self.kind
        object.__setattr__(self, "key", key)


@dataclass(frozen=True, slots=True)
class ModeSpan:
    """A mode that is not the normal one, and its time; `staff` are those whom members may @mention in it."""

    mode: GroupMode
    since: datetime
    until: datetime
    staff: frozenset[str] = frozenset()

    def covers(self, message: Message) -> bool:
        """Whether the message falls under it; an edit does, although it bears the time of the message it changes."""
        sent = message.sent_at
        return sent < self.until and (sent >= self.since or isinstance(message, EditedMessage))


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What screening and enforcement need to know of a group; nothing more can be done in one that is dismissed."""

    policy_id: str | None = None
    kind: GroupKind = GroupKind.GROUP
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo(DEFAULT_TIMEZONE))
    owner: str | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    dismissed: bool = False
    mode: ModeSpan | None = None
    own: OwnRules | None = None
    exceptions: tuple[RuleException, ...] = ()
    channel: str = DEFAULT_CHANNEL

    @property
    def mutes(self) -> bool:
        """Whether a member can be muted there, by the channel or by a person."""
        return self.capabilities.mute is not Support.NONE and not self.dismissed


UNKNOWN_GROUP = GroupSettings()
BUILT_IN = Policy(DEFAULT_POLICY, 0, Rules())
_COMES_WITH_HUIQUN = Written(DEFAULT_POLICY, 0, {})
_PRIVATE_GROUP = GroupSettings(kind=GroupKind.PRIVATE)
InForce = Mapping[str, Written]


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force and the settings of the groups, as of one moment.

    `active` has the effective policies by id, `private` what they are in private groups, `own` those of the groups that
    have rules of their own, by group.
    """

    active: Mapping[str, Policy]
    groups: Mapping[str, GroupSettings]
    own: Mapping[str, Policy] = field(default_factory=dict)
    written: InForce = field(default_factory=dict)
    private: Mapping[str, Policy] = field(default_factory=dict)

    @classmethod
    def compose(cls, written: InForce, groups: Mapping[str, GroupSettings], before: Self | None = None) -> Self:
        """Work out the effective policies; those that are as they were `before` are kept."""
        if before is None or before.written != written:
            active = {policy_id: policy_under(written, GroupSettings(policy_id)) for policy_id in written}
            private = {
                policy_id: policy_under(written, GroupSettings(policy_id, GroupKind.PRIVATE)) for policy_id in written
            }
            before = cls(active, {}, {}, written, private)
        own = {
            group_id: _kept(before.own.get(group_id), settings) or policy_under(written, settings)
            for group_id, settings in groups.items()
            if settings.own is not None
        }
        return cls(before.active, groups, own, written, before.private)

    def settings_of(self, group_id: str) -> GroupSettings:
        """The group's settings; the defaults for a group nobody has told us of."""
        return self.groups.get(group_id, UNKNOWN_GROUP)

    def policy_of(self, settings: GroupSettings) -> Policy:
        """The group's policy; the default where it has none of its own."""
        if settings.own is not None:
            return self.own[settings.own.group_id]
        is_private = settings.kind is GroupKind.PRIVATE
        known, built_in = (self.private, BUILT_IN_PRIVATE) if is_private else (self.active, BUILT_IN)
        chosen = known.get(settings.policy_id) if settings.policy_id else None
        return chosen or known.get(DEFAULT_POLICY, built_in)

    def all(self) -> tuple[Policy, ...]:
        """Every policy that a group may be judged by."""
        return (*self.active.values(), *self.own.values(), self.policy_of(UNKNOWN_GROUP))


def with_exceptions(
    groups: Mapping[str, GroupSettings], exceptions: Mapping[str, tuple[RuleException, ...]]
) -> dict[str, GroupSettings]:
    """The settings of the groups, each with its exceptions; also for groups that nobody has told us of."""
    excepted = {
        group_id: replace(groups.get(group_id, UNKNOWN_GROUP), exceptions=granted)
        for group_id, granted in exceptions.items()
    }
    return {**groups, **excepted}


def chosen_by(written: InForce, settings: GroupSettings) -> Written:
    """The version that a group is under; the default where it has none of its own, or that is not in force."""
    chosen = written.get(settings.policy_id) if settings.policy_id else None
    return chosen or written.get(DEFAULT_POLICY, _COMES_WITH_HUIQUN)


def layers_under(written: InForce, settings: GroupSettings) -> list[Layer]:
    """What the group inherits from, the topmost first, and what it says itself."""
    chosen = chosen_by(written, settings)
    versions = [written.get(DEFAULT_POLICY), chosen if chosen.policy_id != DEFAULT_POLICY else None]
    layers = [Layer(version.label, version.changes) for version in versions if version is not None]
    if settings.own is not None:
        layers.append(Layer(GROUP_SOURCE, settings.own.changes))
    if settings.kind is GroupKind.PRIVATE:
        layers.append(Layer(PRIVATE_SOURCE, _PRIVATE))
    return layers


def policy_under(written: InForce, settings: GroupSettings) -> Policy:
    """The effective policy of a group with these settings; ValidationError where the layers make none together."""
    chosen = chosen_by(written, settings)
    default = written.get(DEFAULT_POLICY)
    above = default.version if default is not None and default is not chosen else 0
    rules = effective(layers_under(written, settings))
    return Policy(chosen.policy_id, chosen.version, rules, settings.own, above, settings.kind)


def _kept(known: Policy | None, settings: GroupSettings) -> Policy | None:
    """The policy known of a group, if its own rules are the same and it still has the policy that they change."""
    if known is None or (known.own, known.kind) != (settings.own, settings.kind):
        return None
    return known if known.id == (settings.policy_id or DEFAULT_POLICY) else None


BUILT_IN_PRIVATE = policy_under({}, _PRIVATE_GROUP)

"""What a policy is: its versions, and the rules that hold for a group under them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Self

from huiqun.contracts.channel import GroupKind
from huiqun.privacy.text import ComparedText
from huiqun.versions.model import Version, VersionNotFoundError, version_label_of
from moderation.groups.model import GroupSettings, OwnRules
from moderation.policies.sections.layers import Changes, PolicyLayer, merge_layers
from moderation.policies.sections.rules import Rules
from moderation.policies.sections.section import PolicyFault

PolicyId = Annotated[str, ComparedText(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
DEFAULT_POLICY: Final = "default"
GROUP_SOURCE: Final = "group"
PRIVATE_SOURCE: Final = "private"
# What holds in the conversation of one customer with one member of staff, whatever the policy: it is no community.
_PRIVATE: Changes = {"quota": None, "membership": {"welcome": None, "consent": None, "posting": None}}


class PolicyNotFoundError(VersionNotFoundError):
    """There is no such policy, or it has no such version."""


class InvalidPolicyError(ValueError):
    """The rules make no sense."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        """`faults` say what is wrong with the rules and where."""
        super().__init__(" ".join(fault.reason for fault in faults))
        self.faults = tuple(faults)

    @property
    def field_faults(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Each place in the body of a request, and what is wrong there."""
        return [(("rules", *fault.path), fault.reason) for fault in self.faults]


class InheritanceConflictError(ValueError):
    """What inherits from it would make no sense any more."""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """What a version of a policy says, without what it inherits."""

    policy_id: str
    version: int
    changes: Changes

    @classmethod
    def from_version(cls, version: Version) -> Self:
        """Return what this version of a policy says."""
        return cls(version.document_id, version.number, version.content)

    @property
    def label(self) -> str:
        """How people name it: "default@3"."""
        return version_label_of(self.policy_id, self.version)


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


BUILT_IN_POLICY = Policy(DEFAULT_POLICY, 0, Rules())
_COMES_WITH_HUIQUN = PolicyVersion(DEFAULT_POLICY, 0, {})
_PRIVATE_GROUP = GroupSettings(kind=GroupKind.PRIVATE)
#: What the versions in force say, by the policy's id.
ActiveVersions = Mapping[str, PolicyVersion]


def choose_version(versions: ActiveVersions, settings: GroupSettings) -> PolicyVersion:
    """Choose the version that a group is under; the default where it has none of its own, or that is not in force."""
    chosen = versions.get(settings.policy_id) if settings.policy_id else None
    return chosen or versions.get(DEFAULT_POLICY, _COMES_WITH_HUIQUN)


def list_layers(versions: ActiveVersions, settings: GroupSettings) -> list[PolicyLayer]:
    """List what the group inherits from, the topmost first, and what it says itself."""
    chosen = choose_version(versions, settings)
    inherited = [versions.get(DEFAULT_POLICY), chosen if chosen.policy_id != DEFAULT_POLICY else None]
    layers = [PolicyLayer(version.label, version.changes) for version in inherited if version is not None]
    if settings.own is not None:
        layers.append(PolicyLayer(GROUP_SOURCE, settings.own.changes))
    if settings.kind is GroupKind.PRIVATE:
        layers.append(PolicyLayer(PRIVATE_SOURCE, _PRIVATE))
    return layers


def build_policy(versions: ActiveVersions, settings: GroupSettings) -> Policy:
    """Build the policy of a group with these settings; ValidationError where the layers make none together."""
    chosen = choose_version(versions, settings)
    default = versions.get(DEFAULT_POLICY)
    above = default.version if default is not None and default is not chosen else 0
    rules = merge_layers(list_layers(versions, settings))
    return Policy(chosen.policy_id, chosen.version, rules, settings.own, above, settings.kind)


BUILT_IN_PRIVATE_POLICY = build_policy({}, _PRIVATE_GROUP)

"""Versions of policies, groups, and the snapshot of both that screening reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from huiqun.contracts.channel import Capabilities, EditedMessage, Message
from huiqun.contracts.moderation import GroupMode
from moderation.policies.model.rules import Rules

DEFAULT_POLICY = "default"
DEFAULT_TIMEZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a policy."""

    id: str
    version: int
    rules: Rules

    @property
    def label(self) -> str:
        """How decisions name it: "default@3"."""
        return f"{self.id}@{self.version}"


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
    """What screening needs to know of a group."""

    policy_id: str | None = None
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo(DEFAULT_TIMEZONE))
    owner: str | None = None
    escalate_to: str | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    mode: ModeSpan | None = None


UNKNOWN_GROUP = GroupSettings()
BUILT_IN = Policy(DEFAULT_POLICY, 0, Rules())


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force and the settings of the groups, as of one moment."""

    active: Mapping[str, Policy]
    groups: Mapping[str, GroupSettings]

    def settings_of(self, group_id: str) -> GroupSettings:
        """The group's settings; the defaults for a group nobody has told us of."""
        return self.groups.get(group_id, UNKNOWN_GROUP)

    def policy_of(self, settings: GroupSettings) -> Policy:
        """The group's policy; the default where it has none of its own."""
        chosen = self.active.get(settings.policy_id) if settings.policy_id else None
        return chosen or self.active.get(DEFAULT_POLICY, BUILT_IN)

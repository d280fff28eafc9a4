"""What is known of a group: its settings, its mode, what it changes in its policy and what is excepted there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from huiqun.channel.directory.model import DEFAULT_TIMEZONE
from huiqun.contracts.channel import Capabilities, EditedMessage, GroupKind, Message, Support
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import GroupMode, Reason

#: The revision of each counter of groups' changes, by its number.
GroupRevisions = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What a group changes in its policy, for itself alone; `revision` is the version of it that is in force."""

    group_id: str
    revision: int
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleException:
    """`rule` does not hold in a group, or only for one of its members, for what is sent before `until`.

    "lexicon" means all its words, "lexicon/ads" those of one category; and so with every rule that has categories.
    """

    rule: str
    member_id: str | None
    until: datetime

    def covers(self, reason: Reason, member_id: str, sent_at: datetime) -> bool:
        """Whether a finding on what the member sent then is excused."""
        rule, _, category = self.rule.partition("/")
        return (
            rule == reason.rule
            and category in ("", reason.category)
            and self.member_id in (None, member_id)
            and sent_at < self.until
        )


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
    """What screening and sanctions need to know of a group; nothing more can be done in one that is dismissed."""

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


UNKNOWN_GROUP: Final = GroupSettings()


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group as people see it; `revision` rises when its policy is assigned, 0 if that was never done.

    `own_revision` is the version of its own rules in force, 0 for none. `known` is false for a group that the channel
    has not told us of.
    """

    id: str
    settings: GroupSettings
    known: bool = False
    name: str = ""
    purpose: str = ""
    tags: tuple[str, ...] = ()
    dismissed_at: datetime | None = None
    revision: int = 0
    own_revision: int = 0

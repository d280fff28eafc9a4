"""Group modes: who holds a group in which mode, and what comes of several holds at once. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from huiqun.contracts.moderation import GroupMode
from huiqun.privacy.text import MaskedText
from moderation.groups.model import ModeSpan

#: The holder of a mode that a person has set without an incident.
MANUAL_HOLDER: Final = "hand"

AnnouncementText = Annotated[str, MaskedText(strip_whitespace=True, min_length=1, max_length=2_000)]
ModeMinutes = Annotated[int, Field(ge=1, le=10_080)]

_SEVERITY: Final[Mapping[GroupMode, int]] = {GroupMode.NORMAL: 0, GroupMode.QUIET: 1, GroupMode.LOCKDOWN: 2}


class ModeAnnouncements(BaseModel):
    """What is sent in a group when its mode changes."""

    # A field that is not known is an error, because it would do nothing.
    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet: AnnouncementText = Field(
        default="【通知】本群即刻起进入安静模式，请暂缓闲聊；如有疑问请 @工作人员 简短提问，我们会尽快回复。",
        description="Message that is sent in the group when it enters the quiet mode.",
        examples=["【通知】本群即刻起进入安静模式。"],
    )
    lockdown: AnnouncementText = Field(
        default="【通知】本群暂停成员发言，目前仅由工作人员发布消息，请以本群公告为准。恢复时将在群内通知。",
        description="Message that is sent in the group when it enters lockdown, in which only staff may write.",
        examples=["【通知】本群暂停成员发言。"],
    )
    normal: AnnouncementText = Field(
        default="【通知】本群已恢复正常发言，感谢大家的理解与配合。",
        description="Message that is sent in the group when it returns to the normal mode.",
        examples=["【通知】本群已恢复正常发言。"],
    )

    def announcement_of(self, mode: GroupMode) -> str:
        """The text for a change to this mode."""
        return {GroupMode.QUIET: self.quiet, GroupMode.LOCKDOWN: self.lockdown, GroupMode.NORMAL: self.normal}[mode]


@dataclass(frozen=True, slots=True)
class ModeHold:
    """Somebody's request that a group be in a mode, not the normal one, until a moment.

    `holder` is an incident's id or MANUAL_HOLDER. `announcement` is sent when the hold takes effect,
    `end_announcement` when it ends and nothing else holds the group.
    """

    holder: str
    mode: GroupMode
    until: datetime
    announcement: str
    end_announcement: str
    set_by: str
    staff: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupModeHolds:
    """The holds on a group by holder; `mode` is the one that was last put in force and announced, since `since`."""

    group_id: str
    holds: Mapping[str, ModeHold] = field(default_factory=dict)
    mode: GroupMode = GroupMode.NORMAL
    since: datetime | None = None
    revision: int = 0

    def leading_hold(self, now: datetime) -> ModeHold | None:
        """The hold that decides: the severest, and of several the longest."""
        lasting = (hold for hold in self.holds.values() if hold.until > now)
        return max(lasting, key=lambda hold: (_SEVERITY[hold.mode], hold.until), default=None)

    def severer_incident_hold(self, mode: GroupMode, now: datetime) -> ModeHold | None:
        """The hold of an incident that keeps the group in a severer mode than this one."""
        severer = [
            hold
            for hold in self.holds.values()
            if hold.holder != MANUAL_HOLDER and hold.until > now and _SEVERITY[hold.mode] > _SEVERITY[mode]
        ]
        return max(severer, key=lambda hold: _SEVERITY[hold.mode], default=None)

    def mode_span(self, now: datetime) -> ModeSpan | None:
        """What screening has to know; None for the normal mode."""
        leading = self.leading_hold(now)
        if leading is None:
            return None
        named = (hold.staff for hold in self.holds.values() if hold.mode is leading.mode and hold.until > now)
        return ModeSpan(leading.mode, self.since or now, leading.until, frozenset[str]().union(*named))


#: The holds on a group before and after something.
ModeChange = tuple[GroupModeHolds, GroupModeHolds]


def with_hold(group: GroupModeHolds, hold: ModeHold, now: datetime) -> GroupModeHolds:
    """The group with this hold in the place of its holder's last one."""
    return _with_mode_in_force(replace(group, holds={**group.holds, hold.holder: hold}), now)


def without_hold(group: GroupModeHolds, holder: str, now: datetime) -> GroupModeHolds:
    """The group without a holder's hold; other holds stay."""
    remaining = {key: hold for key, hold in group.holds.items() if key != holder}
    return _with_mode_in_force(replace(group, holds=remaining), now)


def mode_change_announcement(before: GroupModeHolds, after: GroupModeHolds, now: datetime) -> str | None:
    """What to say in the group about the change; None where its mode stays the same."""
    if before.mode is after.mode:
        return None
    leading = after.leading_hold(now)
    if leading is not None:
        return leading.announcement
    gone = [hold for holder, hold in before.holds.items() if holder not in after.holds]
    return max(gone, key=lambda hold: hold.until).end_announcement


def _with_mode_in_force(group: GroupModeHolds, now: datetime) -> GroupModeHolds:
    """The group in the mode of its leading hold, without the holds that are over."""
    leading = group.leading_hold(now)
    return replace(
        group,
        holds={holder: hold for holder, hold in group.holds.items() if hold.until > now},
        mode=leading.mode if leading is not None else GroupMode.NORMAL,
        since=group.since if leading is not None and leading.mode is group.mode else now,
        revision=group.revision + 1,
    )

"""Group modes: who holds a group in which mode, and what comes of several holds at once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from huiqun.contracts.moderation import GroupMode
from moderation.groups.model import ModeSpan

#: The holder of a mode that a person has set without an incident.
BY_HAND = "hand"

_SEVERITY: Mapping[GroupMode, int] = {GroupMode.NORMAL: 0, GroupMode.QUIET: 1, GroupMode.LOCKDOWN: 2}


@dataclass(frozen=True, slots=True)
class Hold:
    """Somebody's wish that a group be in a mode, not the normal one, until then; `by` is an incident's id or BY_HAND.

    `text` is announced when it takes effect, `farewell` when it ends and nothing else holds the group.
    """

    by: str
    mode: GroupMode
    until: datetime
    text: str
    farewell: str
    set_by: str
    staff: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupHolds:
    """The holds on a group by holder; `mode` is the one that was last put in force and announced, since `since`."""

    group_id: str
    holds: Mapping[str, Hold] = field(default_factory=dict)
    mode: GroupMode = GroupMode.NORMAL
    since: datetime | None = None
    revision: int = 0

    def leading(self, now: datetime) -> Hold | None:
        """The hold that decides: the severest, and of several the longest."""
        lasting = (hold for hold in self.holds.values() if hold.until > now)
        return max(lasting, key=lambda hold: (_SEVERITY[hold.mode], hold.until), default=None)

    def held_above(self, mode: GroupMode, now: datetime) -> Hold | None:
        """The hold of an incident that keeps the group in a severer mode than this one."""
        above = [
            hold
            for hold in self.holds.values()
            if hold.by != BY_HAND and hold.until > now and _SEVERITY[hold.mode] > _SEVERITY[mode]
        ]
        return max(above, key=lambda hold: _SEVERITY[hold.mode], default=None)

    def span(self, now: datetime) -> ModeSpan | None:
        """What screening has to know; None for the normal mode."""
        leading = self.leading(now)
        if leading is None:
            return None
        named = (hold.staff for hold in self.holds.values() if hold.mode is leading.mode and hold.until > now)
        return ModeSpan(leading.mode, self.since or now, leading.until, frozenset[str]().union(*named))


def with_hold(group: GroupHolds, hold: Hold, now: datetime) -> GroupHolds:
    """The group with this hold in the place of its holder's last one."""
    return _settled(replace(group, holds={**group.holds, hold.by: hold}), now)


def without_hold(group: GroupHolds, by: str, now: datetime) -> GroupHolds:
    """The group without a holder's hold; other holds stay."""
    return _settled(replace(group, holds={key: hold for key, hold in group.holds.items() if key != by}), now)


def announcement(before: GroupHolds, after: GroupHolds, now: datetime) -> str | None:
    """What to say in the group about the change; None where its mode stays the same."""
    if before.mode is after.mode:
        return None
    leading = after.leading(now)
    if leading is not None:
        return leading.text
    gone = [hold for by, hold in before.holds.items() if by not in after.holds]
    return max(gone, key=lambda hold: hold.until).farewell


def _settled(group: GroupHolds, now: datetime) -> GroupHolds:
    leading = group.leading(now)
    return replace(
        group,
        holds={by: hold for by, hold in group.holds.items() if hold.until > now},
        mode=leading.mode if leading is not None else GroupMode.NORMAL,
        since=group.since if leading is not None and leading.mode is group.mode else now,
        revision=group.revision + 1,
    )

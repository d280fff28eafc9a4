"""Legal holds: what is under one does not expire, whatever its policy says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Keeps what these members wrote in these groups between two moments; what is empty or None sets no limit."""

    id: str
    groups: tuple[str, ...]
    members: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lift_reason: str | None = None

    def covers(self, member_id: str, sent_at: datetime) -> bool:
        """Whether it holds what a member of one of its groups wrote then; `until` itself is outside."""
        return (
            (not self.members or member_id in self.members)
            and (self.since is None or sent_at >= self.since)
            and (self.until is None or sent_at < self.until)
        )


class Holds:
    """The holds that are open, found by group; `any` says whether there are any."""

    __slots__ = ("_by_group", "_everywhere", "any")

    def __init__(self, holds: Iterable[Hold] = ()) -> None:
        self._everywhere: list[Hold] = []
        self._by_group: dict[str, list[Hold]] = {}
        for hold in holds:
            if not hold.groups:
                self._everywhere.append(hold)
            for group_id in hold.groups:
                self._by_group.setdefault(group_id, []).append(hold)
        self.any = bool(self._everywhere or self._by_group)

    def cover(self, group_id: str, member_id: str, sent_at: datetime) -> bool:
        """Whether any of them holds this message."""
        for held in (self._by_group.get(group_id, ()), self._everywhere):
            for hold in held:
                if hold.covers(member_id, sent_at):
                    return True
        return False


NO_HOLDS = Holds()

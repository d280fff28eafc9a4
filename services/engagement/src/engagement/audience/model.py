"""What a member's activity is, and how each event changes it. Pure, and in any order of the topics the same."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import Verdict

KEPT_DAYS = 90
DEFAULT_TIMEZONE = "Asia/Shanghai"


@dataclass(slots=True)
class Activity:
    """A member in a group: allowed messages per day of the group's calendar, and all messages by verdict.

    Who writes is present, unless a departure says otherwise. `joined_at` and `left_at` are the latest of their kind.
    """

    group_id: str
    member_id: str
    role: Role | None = None
    role_at: datetime | None = None
    present: bool = True
    joined_at: datetime | None = None
    left_at: datetime | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    days: dict[date, int] = field(default_factory=dict)
    verdicts: dict[Verdict, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The document's id."""
        return key_of(self.group_id, self.member_id)

    def join(self, at: datetime) -> None:
        """The member came into the group."""
        if not self._moved_after(at):
            self.present = True
        self.joined_at = max(at, self.joined_at or at)
        self._see(at)

    def leave(self, at: datetime) -> None:
        """The member left, or was removed."""
        if not self._moved_after(at):
            self.present = False
        self.left_at = max(at, self.left_at or at)

    def take_role(self, role: Role, at: datetime) -> None:
        """The member had this role at that time; the latest counts."""
        if self.role_at is None or self.role is None or (at, role) > (self.role_at, self.role):
            self.role, self.role_at = role, at

    def count(self, verdict: Verdict, at: datetime, day: date) -> bool:
        """Count a message, as first sent, on a day of the group's calendar; True when it is activity."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        self._see(at)
        if verdict is not Verdict.ALLOW:
            return False
        self.days[day] = self.days.get(day, 0) + 1
        oldest = max(self.days) - timedelta(days=KEPT_DAYS - 1)
        self.days = {known: number for known, number in self.days.items() if known >= oldest}
        return True

    def _see(self, at: datetime) -> None:
        self.first_seen = min(at, self.first_seen or at)
        self.last_seen = max(at, self.last_seen or at)

    def _moved_after(self, at: datetime) -> bool:
        return any(moved is not None and moved > at for moved in (self.joined_at, self.left_at))


def key_of(group_id: str, member_id: str) -> str:
    """The id of a member's activity; ids hold no slash."""
    return f"{group_id}/{member_id}"

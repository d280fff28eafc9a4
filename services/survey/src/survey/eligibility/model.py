"""Who may be asked: customers in the group who wrote an allowed message in 90 days. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from huiqun.contracts.channel import LeaveReason, Role
from huiqun.contracts.moderation import Verdict

ACTIVE_WITHIN = timedelta(days=90)


class Obstacle(StrEnum):
    """Why a member may not be asked; of several, the first of these."""

    NOT_A_CUSTOMER = "not_a_customer"
    REMOVED = "removed"
    LEFT = "left"
    GROUP_DISMISSED = "group_dismissed"
    SILENT = "silent"


@dataclass(slots=True)
class Eligibility:
    """A member in a group, as far as surveys need to know. Who writes is present, unless a departure says otherwise.

    `gone` is why the member is not in the group any more, `wrote_at` when the last allowed message was written.
    """

    group_id: str
    member_id: str
    role: Role | None = None
    role_at: datetime | None = None
    gone: LeaveReason | None = None
    moved_at: datetime | None = None
    wrote_at: datetime | None = None
    group_dismissed: bool = False

    @property
    def key(self) -> str:
        """The document's id."""
        return key_of(self.group_id, self.member_id)

    @property
    def in_group(self) -> bool:
        """Whether there is a group that the member is in."""
        return self.gone is None and not self.group_dismissed

    @property
    def eligible_until(self) -> datetime | None:
        """The end of the eligibility as things stand; None when there is an obstacle whatever the time."""
        return self.wrote_at + ACTIVE_WITHIN if self.wrote_at is not None and self._standing() is None else None

    def obstacle(self, now: datetime) -> Obstacle | None:
        """Why the member may not be asked now; None for who may."""
        until = self.eligible_until
        return self._standing() or (None if until is not None and now < until else Obstacle.SILENT)

    def move(self, gone: LeaveReason | None, at: datetime) -> None:
        """The member came (None) or went; the latest counts."""
        if self.moved_at is None or at >= self.moved_at:
            self.gone, self.moved_at = gone, at

    def take_role(self, role: Role, at: datetime) -> None:
        """The member had this role at that time; the latest counts."""
        if self.role_at is None or self.role is None or (at, role) > (self.role_at, self.role):
            self.role, self.role_at = role, at

    def write(self, verdict: Verdict, at: datetime) -> None:
        """The member wrote a message; only an allowed one counts."""
        if verdict is Verdict.ALLOW:
            self.wrote_at = max(at, self.wrote_at or at)

    def _standing(self) -> Obstacle | None:
        if self.role is not Role.CUSTOMER:
            return Obstacle.NOT_A_CUSTOMER
        if self.gone is not None:
            return Obstacle.REMOVED if self.gone is LeaveReason.REMOVED else Obstacle.LEFT
        return Obstacle.GROUP_DISMISSED if self.group_dismissed else None


def key_of(group_id: str, member_id: str) -> str:
    """The id of a member's eligibility; ids hold no slash."""
    return f"{group_id}/{member_id}"

"""Who may be asked: customers in the group who wrote an allowed message in 90 days. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from huiqun.channel.directory.model import DirectoryGroup, DirectoryMember, member_key
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
    """A member in a group, as far as surveys need to know.

    `wrote_at` is when the last allowed message was written. The rest is what the directory says: `gone` is why the
    member is not in the group any more.
    """

    group_id: str
    member_id: str
    role: Role | None = None
    gone: LeaveReason | None = None
    wrote_at: datetime | None = None
    group_dismissed: bool = False

    @property
    def key(self) -> str:
        """The document's id, which the directory's is, too."""
        return member_key(self.group_id, self.member_id)

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

    def update_membership(self, member: DirectoryMember, group: DirectoryGroup) -> None:
        """Take over what the directory says of the member and the group."""
        self.role, self.gone = member.role, member.left_reason
        self.group_dismissed = group.dismissed_at is not None

    def record_message(self, verdict: Verdict, at: datetime) -> None:
        """The member wrote a message; only an allowed one counts."""
        if verdict is Verdict.ALLOW:
            self.wrote_at = max(at, self.wrote_at or at)

    def _standing(self) -> Obstacle | None:
        if self.role is not Role.CUSTOMER:
            return Obstacle.NOT_A_CUSTOMER
        if self.gone is not None:
            return Obstacle.REMOVED if self.gone is LeaveReason.REMOVED else Obstacle.LEFT
        return Obstacle.GROUP_DISMISSED if self.group_dismissed else None

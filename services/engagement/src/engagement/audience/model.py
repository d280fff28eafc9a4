"""What a member's activity is, and how each event changes it. Pure, and in any order of the topics the same."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from huiqun.channel.directory.model import member_key
from huiqun.contracts.moderation import Verdict

ACTIVITY_RETENTION_DAYS = 90


@dataclass(slots=True)
class Activity:
    """A member in a group: allowed messages per day of the group's calendar, and all messages by verdict.

    `gone_since` is when the directory says that they left, so that the activity goes when the directory forgets them.
    """

    group_id: str
    member_id: str
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    gone_since: datetime | None = None
    days: dict[date, int] = field(default_factory=dict)
    verdicts: dict[Verdict, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The document's id, which the directory's is, too."""
        return member_key(self.group_id, self.member_id)

    def record_presence(self, at: datetime) -> None:
        """The member came or wrote."""
        self.first_seen = min(at, self.first_seen or at)
        self.last_seen = max(at, self.last_seen or at)

    def count_message(self, verdict: Verdict, at: datetime, day: date) -> bool:
        """Count a message, as first sent, on a day of the group's calendar; True when it is activity."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        self.record_presence(at)
        if verdict is not Verdict.ALLOW:
            return False
        self.days[day] = self.days.get(day, 0) + 1
        oldest = max(self.days) - timedelta(days=ACTIVITY_RETENTION_DAYS - 1)
        self.days = {known: number for known, number in self.days.items() if known >= oldest}
        return True

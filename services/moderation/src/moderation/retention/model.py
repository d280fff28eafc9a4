"""Until when a message is kept: for whole days, as its policy says, and no end while a legal hold covers it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from huiqun.contracts.channel import Message
from huiqun.contracts.moderation import Screened
from huiqun.privacy.detection import PersonalData
from moderation.archive.model import ArchiveEntry, tokenize_findings


@dataclass(frozen=True, slots=True)
class LegalHold:
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


class OpenHolds:
    """The legal holds that are open, found by group; `is_empty` says that there are none."""

    __slots__ = ("_by_group", "_everywhere", "is_empty")

    def __init__(self, holds: Iterable[LegalHold] = ()) -> None:
        self._everywhere: list[LegalHold] = []
        self._by_group: dict[str, list[LegalHold]] = {}
        for hold in holds:
            if not hold.groups:
                self._everywhere.append(hold)
            for group_id in hold.groups:
                self._by_group.setdefault(group_id, []).append(hold)
        self.is_empty = not self._everywhere and not self._by_group

    def cover(self, group_id: str, member_id: str, sent_at: datetime) -> bool:
        """Whether any of them holds this message."""
        for held in (self._by_group.get(group_id, ()), self._everywhere):
            for hold in held:
                if hold.covers(member_id, sent_at):
                    return True
        return False


NO_HOLDS = OpenHolds()


def expiry_date(archived_at: datetime, days: int) -> datetime:
    """The midnight, in UTC, at which a message is no longer kept; by then it has been for `days` whole days.

    It is counted from the archive's own clock: a sender's, which may be years off, decides on nothing.
    """
    last = archived_at + timedelta(days=days)
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EntryBuilder:
    """Makes the archive's entries of a batch: by the moment, the open holds, and the key of the hashes."""

    now: datetime
    holds: OpenHolds
    hash_key: bytes
    _expiry_dates: dict[int, datetime] = field(default_factory=dict)

    def build_entry(
        self, screened: Screened, message: Message, finds: Sequence[PersonalData], days: int
    ) -> ArchiveEntry:
        """The entry of a message that its policy keeps for so many days; `finds` are spans of its text."""
        tokens = tokenize_findings(message.text, finds, self.hash_key) if finds else ()
        if not self.holds.is_empty and self.holds.cover(screened.group_id, screened.member_id, screened.sent_at):
            return ArchiveEntry(screened, self.now, None, tokens)
        expires_on = self._expiry_dates.get(days)
        if expires_on is None:
            expires_on = self._expiry_dates[days] = expiry_date(self.now, days)
        return ArchiveEntry(screened, self.now, expires_on, tokens)

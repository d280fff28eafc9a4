"""What goes into the archive: a judged message, what its personal data matches, and until when it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from huiqun.contracts.channel import Message
from huiqun.contracts.moderation import Screened
from huiqun.privacy.detection import PersonalData
from moderation.archive.model.holds import Holds
from moderation.archive.model.retention import first_day_without
from moderation.archive.model.tokens import Token, tokens_in


class Entry(NamedTuple):
    """A message to archive; without `expires_on` it is kept until somebody lifts the hold on it.

    `recalled_by` is who withdrew it before it came.
    """

    screened: Screened
    archived_at: datetime
    expires_on: datetime | None
    personal: tuple[Token, ...] = ()
    recalled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """By what the messages of a batch are archived: the moment, the open holds, and the key of the hashes."""

    now: datetime
    holds: Holds
    key: bytes
    _days: dict[int, datetime] = field(default_factory=dict)

    def entry(self, screened: Screened, message: Message, finds: Sequence[PersonalData], days: int) -> Entry:
        """The entry of a message that its policy keeps for so many days; `finds` are spans of its text."""
        tokens = tokens_in(message.text, finds, self.key) if finds else ()
        if self.holds.any and self.holds.cover(screened.group_id, screened.member_id, screened.sent_at):
            return Entry(screened, self.now, None, tokens)
        day = self._days.get(days)
        if day is None:
            day = self._days[days] = first_day_without(self.now, days)
        return Entry(screened, self.now, day, tokens)

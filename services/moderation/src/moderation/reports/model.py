"""Reports of messages; how far to trust the members who make them, and how often they may. No I/O."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from huiqun.contracts.envelope import Event
from moderation.archive.model import MessageRef
from moderation.lexicon.matching.folding import strip_text
from moderation.policies.sections.review import ReviewRule

REPORTED_CATEGORY: Final = "reported"
_MENTIONS = re.compile(r"^\s*(?:[@＠]\S+\s+)*")
_CHARACTERS_READ = 100


@dataclass(frozen=True, slots=True)
class MessageReport:
    """That somebody should look at a message, and the event that said so.

    `by` is the id of who reports it, `day` the group's, `category` what a person named, if anything.
    """

    group_id: str
    message_id: str
    by: str
    by_staff: bool
    note: str
    day: int
    rule: ReviewRule
    category: str | None = None
    channel: str | None = None
    cause: Event | None = None

    @property
    def ref(self) -> MessageRef:
        """The message that is reported."""
        return MessageRef(self.message_id, self.group_id, self.channel)


@dataclass(slots=True)
class Reporter:
    """A member who has reported: how their reports ended, and how many they made on `day`."""

    member_id: str
    upheld: int = 0
    dismissed: int = 0
    day: int = 0
    reported: int = 0

    @property
    def trust(self) -> float:
        """The share of reports that were upheld, as if one more had been and one more had not (Laplace)."""
        return (self.upheld + 1) / (self.upheld + self.dismissed + 2)

    def count_report(self, day: int, per_day: int) -> bool:
        """Count a report on `day`; False where that is one too many."""
        if day > self.day:
            self.day, self.reported = day, 0
        self.reported += 1
        return self.reported <= per_day


def begins_with_phrase(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text begins with one of the phrases, in whatever spelling, after whom it is addressed to."""
    said = _MENTIONS.sub("", text, count=1)[:_CHARACTERS_READ]
    if said.startswith(("@", "＠")):  # somebody of that name
        return False
    words = strip_text(said)
    return any(words.startswith(phrase) for phrase in _strip_phrases(phrases))


@lru_cache(maxsize=1_024)
def _strip_phrases(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, map(strip_text, phrases)))

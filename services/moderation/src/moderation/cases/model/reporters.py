"""Members who report messages: how far to trust them, and how often they may. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from moderation.policies.model import ReviewRule

_MENTIONS = re.compile(r"^\s*(?:@\S+\s+)*")


@dataclass(frozen=True, slots=True)
class Report:
    """A wish that somebody looks at a message; `day` is the group's, `category` what a person named, if anything."""

    group_id: str
    message_id: str
    by: str
    by_staff: bool
    note: str
    day: int
    rule: ReviewRule
    category: str | None = None


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

    def may_report(self, day: int, per_day: int) -> bool:
        """Count a report on `day`; False where that is one too many."""
        if day > self.day:
            self.day, self.reported = day, 0
        self.reported += 1
        return self.reported <= per_day


def begins_with(text: str, phrases: Iterable[str]) -> bool:
    """Whether a text begins with one of the phrases, after whom it is addressed to."""
    words = _MENTIONS.sub("", text, count=1)
    return any(words.startswith(phrase) for phrase in phrases)

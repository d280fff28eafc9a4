"""A word of the lexicon, as the matcher knows it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of a word list.

    `allow` are phrases that contain the word and are harmless; both validity days are included.
    """

    id: str
    text: str
    category: str
    severity: int = 3
    allow: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    list_name: str = ""

    def is_valid_on(self, day: date) -> bool:
        """Tell whether the word is in force on `day`."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_until is None or day <= self.valid_until)

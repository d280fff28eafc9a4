"""A word of the lexicon, and what makes a word unfit to be one."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from huiqun.files.reading import RowError
from moderation.lexicon.model.folding import fold, strip

CATEGORIES: Final = ("ads", "solicitation", "fraud", "abuse", "politics", "obscenity", "violence", "rumour")
"""The categories Huiqun ships words for; operators may add their own."""

STAFF_CATEGORIES: Final = ("promise", "impolite")
"""What staff may not say; customers may."""

MAX_LENGTH: Final = 64
MAX_PHRASES: Final = 50
SEVERITIES: Final = range(1, 6)
_LEVEL_ONE: Final = range(0xB0, 0xD8)
_CATEGORY: Final = re.compile(r"[\w-]{1,64}")
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Word:
    """One entry. `allow` are phrases that contain the word and are harmless; both validity days are included."""

    id: str
    text: str
    category: str
    severity: int = 3
    allow: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    list_name: str = ""

    def valid_on(self, day: date) -> bool:
        """Tell whether the word is in force on `day`."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_until is None or day <= self.valid_until)


def check_word(word: Word) -> None:
    """Raise RowError if `word` would match nothing, nearly everything, or on no day."""
    key = strip(word.text)
    _check_text(word.text, key)
    if not word.category:
        raise RowError("category", "is empty")
    if not _CATEGORY.fullmatch(word.category):
        raise RowError("category", "has more than 64 characters, or others than letters, digits, - and _")
    if word.severity not in SEVERITIES:
        raise RowError("severity", "is not between 1 and 5")
    if word.valid_from is not None and word.valid_until is not None and word.valid_until < word.valid_from:
        raise RowError("valid_until", "lies before valid_from")
    if len(word.allow) > MAX_PHRASES:
        raise RowError("allow", f"has more than {MAX_PHRASES} phrases")
    for phrase in word.allow:
        _check_phrase(phrase, key)


def _check_text(text: str, key: str) -> None:
    if not key:
        raise RowError("word", "has no letter, digit or Han character")
    if len(text) > MAX_LENGTH or len(key) > MAX_LENGTH:
        raise RowError("word", f"is longer than {MAX_LENGTH} characters")
    if len(key) == 1 and _is_common(key):
        raise RowError("word", "is a single common character and would hit nearly every message")
    if _NO_TEXT.search(text):
        raise RowError("word", "has NUL or half of a surrogate pair, which no text has")


def _check_phrase(phrase: str, key: str) -> None:
    if len(phrase) > 2 * MAX_LENGTH:
        raise RowError("allow", f"has a phrase longer than {2 * MAX_LENGTH} characters")
    if key not in strip(phrase):
        raise RowError("allow", f"{phrase!r} does not contain the word")
    if key == strip(phrase):
        raise RowError("allow", f"{phrase!r} is the word itself and would switch it off")
    if _NO_TEXT.search(phrase):
        raise RowError("allow", "has NUL or half of a surrogate pair, which no text has")


def word_id(list_name: str, text: str) -> str:
    """Return the id of a word: the same list and spelling give the same id in every import."""
    return f"{list_name}/{fold(text)}"


def _is_common(char: str) -> bool:
    """The 3,755 characters of GB 2312 level one are those of everyday text; so is any single letter or digit."""
    if char.isascii():
        return True
    encoded = char.encode("gb2312", "ignore")
    return len(encoded) == 2 and encoded[0] in _LEVEL_ONE

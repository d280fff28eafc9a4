"""Word lists: what they are, what makes a word unfit to be on one, and reading them from the rows of a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple

from huiqun.files.reading import ParsedRows, RowError, RowFormat, parse_rows, read_rows
from moderation.lexicon.matching.folding import fold_text, strip_text
from moderation.lexicon.matching.words import Word

CATEGORIES: Final = ("ads", "solicitation", "fraud", "abuse", "politics", "obscenity", "violence", "rumour")
"""The categories Huiqun ships words for; operators may add their own."""

STAFF_CATEGORIES: Final = ("promise", "impolite")
"""What staff may not say; customers may."""

LIST_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What the name of a list looks like."""
MAX_LENGTH: Final = 64
MAX_PHRASES: Final = 50
SEVERITIES: Final = range(1, 6)
_LEVEL_ONE: Final = range(0xB0, 0xD8)
_CATEGORY: Final = re.compile(r"[\w-]{1,64}")
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
ALLOW_SEPARATOR: Final = "|"
MAX_WORDS: Final = 200_000
_REQUIRED: Final = ("word", "category")
_Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WordList:
    """A list of words that is imported and replaced as a whole; `checksum` is of the file it came from."""

    name: str
    words: int
    checksum: str
    imported_by: str
    imported_at: datetime


class LexiconRevision(NamedTuple):
    """What tells all word lists together from what they were before: `number` rises with every change.

    `version` is what decisions name; "none" as long as there were never any words.
    """

    number: int
    version: str


def parse_words(text: str, form: RowFormat, list_name: str) -> ParsedRows[Word]:
    """The words of a list; the fields are `word`, `category`, `severity`, `allow`, `valid_from` and `valid_until`.

    The first two must be there. In CSV `allow` are phrases separated by `|`, else it is a list of texts.
    """
    rows = read_rows(text, form, _REQUIRED)
    return parse_rows(
        rows,
        partial(_word, list_name=list_name),
        key=("word", lambda word: strip_text(word.text)),
        max_records=MAX_WORDS,
    )


def _word(row: _Row, list_name: str) -> Word:
    text = _text(row, "word")
    word = Word(
        id=word_id(list_name, text),
        text=text,
        category=_text(row, "category"),
        severity=_severity(row.get("severity")),
        allow=_phrases(row.get("allow")),
        valid_from=_day(row, "valid_from"),
        valid_until=_day(row, "valid_until"),
        list_name=list_name,
    )
    check_word(word)
    return word


def _text(row: _Row, field: str) -> str:
    value = row.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(field, "is not text")
    return value.strip()


def _severity(value: object) -> int:
    if value is None or value == "":
        return 3
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) == 1 and value.isdecimal():
        return int(value)
    raise RowError("severity", "is not a whole number between 1 and 5")


def _phrases(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    phrases = value.split(ALLOW_SEPARATOR) if isinstance(value, str) else value
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise RowError("allow", "is neither text nor a list of texts")
    return tuple(phrase.strip() for phrase in phrases if phrase.strip())


def _day(row: _Row, field: str) -> date | None:
    text = _text(row, field)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RowError(field, f"{text!r} is not a date like 2025-12-31") from None


def check_word(word: Word) -> None:
    """Raise RowError if `word` would match nothing, nearly everything, or on no day."""
    key = strip_text(word.text)
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
    if key not in strip_text(phrase):
        raise RowError("allow", f"{phrase!r} does not contain the word")
    if key == strip_text(phrase):
        raise RowError("allow", f"{phrase!r} is the word itself and would switch it off")
    if _NO_TEXT.search(phrase):
        raise RowError("allow", "has NUL or half of a surrogate pair, which no text has")


def word_id(list_name: str, text: str) -> str:
    """Return the id of a word: the same list and spelling give the same id in every import."""
    return f"{list_name}/{fold_text(text)}"


def _is_common(char: str) -> bool:
    """The 3,755 characters of GB 2312 level one are those of everyday text; so is any single letter or digit."""
    if char.isascii():
        return True
    encoded = char.encode("gb2312", "ignore")
    return len(encoded) == 2 and encoded[0] in _LEVEL_ONE

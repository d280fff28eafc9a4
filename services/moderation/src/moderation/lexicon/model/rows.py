"""Words from the rows of a file."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Final

from huiqun.files.reading import ParsedRows, RowError, RowFormat, parse_rows, read_rows
from moderation.lexicon.model.folding import strip
from moderation.lexicon.model.words import Word, check_word, word_id

ALLOW_SEPARATOR: Final = "|"
MAX_WORDS: Final = 200_000
_REQUIRED: Final = ("word", "category")
_Row = Mapping[str, object]


def parse_words(text: str, form: RowFormat, list_name: str) -> ParsedRows[Word]:
    """The words of a list; the fields are `word`, `category`, `severity`, `allow`, `valid_from` and `valid_until`.

    The first two must be there. In CSV `allow` are phrases separated by `|`, else it is a list of texts.
    """
    rows = read_rows(text, form, _REQUIRED)
    return parse_rows(
        rows, partial(_word, list_name=list_name), key=("word", lambda word: strip(word.text)), max_records=MAX_WORDS
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

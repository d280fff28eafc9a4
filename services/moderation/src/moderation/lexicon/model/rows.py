"""Reads words from CSV and JSONL, and says by line and field what is wrong with the rows it cannot take."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from moderation.lexicon.model.folding import strip
from moderation.lexicon.model.words import UnfitWordError, Word, check_word, word_id

ALLOW_SEPARATOR = "|"
_LONGEST_LINE = 200_000


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row was not taken. `line` counts from 1 and is the line in the file.

    After a row that `ends` the reading nothing could be read: not even the fit words before it are the whole list.
    """

    line: int
    field: str
    reason: str
    ends: bool = False


@dataclass(frozen=True, slots=True)
class WordImport:
    """The words that are fit and the rows that are not.

    Refuse the file if `errors`, or take `words`: both are fine, unless it `is_cut_off` or has no word at all.
    """

    words: tuple[Word, ...]
    errors: tuple[RowError, ...]

    @property
    def is_cut_off(self) -> bool:
        """Whether something in the file made the rest of it unreadable."""
        return any(error.ends for error in self.errors)


_Row = Mapping[str, object]


def read_csv(content: str, list_name: str) -> WordImport:
    """Read a CSV file with a header; the columns are `word`, `category`, `severity`, `allow` (phrases separated by
    `|`), `valid_from`, `valid_until`, of which the first two must be there."""
    reader = csv.DictReader(_lines(content), strict=True)
    try:
        missing = {"word", "category"} - set(reader.fieldnames or ())
    except csv.Error as error:
        return WordImport((), (RowError(1, "row", str(error), ends=True),))
    if missing:
        return WordImport((), tuple(RowError(1, name, "column is missing", ends=True) for name in sorted(missing)))
    return _read(_csv_rows(reader), list_name)


def read_jsonl(content: str, list_name: str) -> WordImport:
    """Read one JSON object per line, with the fields of the CSV columns; `allow` is a list of strings."""
    return _read(_json_rows(content), list_name)


def _lines(content: str) -> Iterator[str]:
    """The lines of a CSV file; csv.Error at one that no row has, which would take long to read for nothing."""
    for line in io.StringIO(content.removeprefix("\ufeff"), newline=""):
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"has more than {_LONGEST_LINE} characters")
        yield line


def _csv_rows(reader: "csv.DictReader[str]") -> Iterator[tuple[int, _Row | RowError]]:
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The reader cannot know where the next good row starts once the quoting is broken.
            yield line, RowError(line, "row", f"{error}; the rest of the file cannot be read", ends=True)
            return
        if None in row:
            yield line, RowError(line, "row", "has more fields than the header")
        else:
            yield line, row


def _json_rows(content: str) -> Iterator[tuple[int, _Row | RowError]]:
    for line, text in enumerate(io.StringIO(content.removeprefix("\ufeff"), newline="\n"), start=1):
        if not text.strip():
            continue
        if len(text) > _LONGEST_LINE:
            yield line, RowError(line, "row", f"has more than {_LONGEST_LINE} characters")
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield line, RowError(line, "row", f"is not JSON: {error}")
            continue
        yield line, row if isinstance(row, dict) else RowError(line, "row", "is not a JSON object")


def _read(rows: Iterable[tuple[int, _Row | RowError]], list_name: str) -> WordImport:
    words: list[Word] = []
    errors: list[RowError] = []
    first_lines: dict[str, int] = {}
    for line, row in rows:
        if isinstance(row, RowError):
            errors.append(row)
            continue
        try:
            word = _word(row, list_name)
            check_word(word)
        except UnfitWordError as error:
            errors.append(RowError(line, error.field, error.reason))
            continue
        first = first_lines.setdefault(strip(word.text), line)
        if first == line:
            words.append(word)
        else:
            errors.append(RowError(line, "word", f"is the same as in line {first}"))
    return WordImport(tuple(words), tuple(errors))


def _word(row: _Row, list_name: str) -> Word:
    text = _text(row, "word")
    return Word(
        id=word_id(list_name, text),
        text=text,
        category=_text(row, "category"),
        severity=_severity(row.get("severity")),
        allow=_phrases(row.get("allow")),
        valid_from=_day(row, "valid_from"),
        valid_until=_day(row, "valid_until"),
        list_name=list_name,
    )


def _text(row: _Row, field: str) -> str:
    value = row.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnfitWordError(field, "is not text")
    return value.strip()


def _severity(value: object) -> int:
    if value is None or value == "":
        return 3
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) == 1 and value.isdecimal():
        return int(value)
    raise UnfitWordError("severity", "is not a whole number between 1 and 5")


def _phrases(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    phrases = value.split(ALLOW_SEPARATOR) if isinstance(value, str) else value
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise UnfitWordError("allow", "is neither text nor a list of texts")
    return tuple(phrase.strip() for phrase in phrases if phrase.strip())


def _day(row: _Row, field: str) -> date | None:
    text = _text(row, field)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnfitWordError(field, f"{text!r} is not a date like 2025-12-31") from None

"""How archived messages are written out: JSON lines for programs, CSV for people with a spreadsheet."""

import csv
from collections.abc import Iterable, Mapping
from enum import StrEnum
from io import StringIO
from typing import Any, Final
from unicodedata import category, normalize

import orjson

COLUMNS: Final = (
    "group_id",
    "message_id",
    "revision",
    "sent_at",
    "archived_at",
    "member_id",
    "role",
    "kind",
    "verdict",
    "reasons",
    "policy",
    "lexicon",
    "recalled_by",
    "recalled_at",
    "text",
)
# A spreadsheet takes a cell that begins so for a formula; East Asian ones take the full-width signs, too.
_FORMULA: Final = frozenset("=+-@")
_MINUS: Final = "\N{MINUS SIGN}"
# Letters and signs that show nothing, beside the categories of control, format, space and combining characters.
_BLANKS: Final = frozenset(
    "\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}"
    "\N{BRAILLE PATTERN BLANK}"
)
_UNSEEN: Final = frozenset("CZM")
_BYTE_ORDER_MARK: Final = "\N{BYTE ORDER MARK}".encode()
Row = Mapping[str, Any]


class Format(StrEnum):
    """The forms of an export."""

    JSONL = "jsonl"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """What a browser is told."""
        return "text/csv; charset=utf-8" if self is Format.CSV else "application/x-ndjson"


def opening(form: Format) -> bytes:
    """What stands before the first message; spreadsheets know UTF-8 by the mark."""
    return _BYTE_ORDER_MARK + _csv([COLUMNS]) if form is Format.CSV else b""


def line(form: Format, row: Row) -> bytes:
    """One message: a line, or more where a cell has line breaks."""
    if form is Format.CSV:
        return _csv([[_cell(row[column]) for column in COLUMNS]])
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(f"{reason['rule']}/{reason['category']}" for reason in value)
    text = str(value)
    # Behind a quotation mark nothing is computed.
    return f"'{text}" if _may_be_formula(text) else text


def _may_be_formula(text: str) -> bool:
    """Whether a spreadsheet might compute the cell. What shows nothing may be dropped by whoever reads it."""
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    first = next((each for each in text if each not in _BLANKS and category(each)[0] not in _UNSEEN), "")
    return first == _MINUS or normalize("NFKC", first)[:1] in _FORMULA


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    written = StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "replace")

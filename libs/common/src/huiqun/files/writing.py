"""Writes rows: JSON lines for programs, CSV and XLSX for people with a spreadsheet, without formulas."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from io import BytesIO, StringIO
from typing import Any, Final

import orjson
import xlsxwriter

# A spreadsheet takes a cell that begins so for a formula; East Asian ones take the full-width and small signs, too.
_FORMULA: Final = frozenset("=+-@")
_MINUS: Final = "\N{MINUS SIGN}"
# Letters and signs that show nothing, beside the categories of control, format, space and combining characters.
_BLANKS: Final = frozenset(
    "\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}"
    "\N{BRAILLE PATTERN BLANK}"
)
_UNSEEN: Final = frozenset("CZM")
_BYTE_ORDER_MARK: Final = "\N{BYTE ORDER MARK}".encode()
_CELL_CHARACTERS: Final = 32_767  # the most that a spreadsheet holds
Fields = Mapping[str, Any]


class FileFormat(StrEnum):
    """The forms in which rows go out."""

    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """What a browser is told."""
        return {
            FileFormat.JSONL: "application/x-ndjson",
            FileFormat.CSV: "text/csv; charset=utf-8",
            FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }[self]


def format_header(form: FileFormat, columns: Sequence[str]) -> bytes:
    """What stands before the first row of a CSV file or of JSON lines; spreadsheets know UTF-8 by the mark."""
    return _BYTE_ORDER_MARK + _csv_lines([columns]) if form is FileFormat.CSV else b""


def format_row(form: FileFormat, columns: Sequence[str], row: Fields) -> bytes:
    """One row of a CSV file or of JSON lines: a line, or more where a cell has line breaks."""
    if form is FileFormat.CSV:
        return _csv_lines([[neutralize_formula(row.get(column)) for column in columns]])
    return orjson.dumps({column: row.get(column) for column in columns}, option=orjson.OPT_APPEND_NEWLINE)


def write_file(form: FileFormat, columns: Sequence[str], rows: Iterable[Fields], *, sheet: str = "Sheet1") -> bytes:
    """A whole file in memory, for some ten thousand rows; what is larger is an export, in parts."""
    if form is FileFormat.XLSX:
        return _xlsx(columns, rows, sheet)
    return format_header(form, columns) + b"".join(format_row(form, columns, row) for row in rows)


def neutralize_formula(value: object) -> str:
    """The text of a cell, which no spreadsheet takes for a formula; empty for None, and a number is no formula.

    Behind a quotation mark nothing is computed. What a reader drops or does not show (spaces, NUL, byte order marks,
    zero-width and bidirectional characters) does not hide the sign.
    """
    if value is None:
        return ""
    text = _text_of(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"'{text}" if not is_number and _may_be_formula(text) else text


def _may_be_formula(text: str) -> bool:
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    seen = next((each for each in text if each not in _BLANKS and unicodedata.category(each)[0] not in _UNSEEN), "")
    return seen == _MINUS or unicodedata.normalize("NFKC", seen)[:1] in _FORMULA


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | dict):
        return orjson.dumps(value).decode()
    return str(value)


def _csv_lines(rows: Iterable[Iterable[str]]) -> bytes:
    written = StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace")


def _xlsx(columns: Sequence[str], rows: Iterable[Fields], sheet: str) -> bytes:
    file = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet(sheet)
        bold = book.add_format({"bold": True})
        for column, name in enumerate(columns):
            page.write_string(0, column, name, bold)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(_cells(columns, row)):
                if isinstance(value, int | float) and not isinstance(value, bool):
                    page.write_number(number, column, value)
                elif value is not None:
                    page.write_string(number, column, _printable(_text_of(value))[:_CELL_CHARACTERS])
        page.freeze_panes(1, 0)
    return file.getvalue()


def _cells(columns: Sequence[str], row: Fields) -> Iterator[Any]:
    return (row.get(column) for column in columns)


def _printable(text: str) -> str:
    """Without the control characters and surrogates that XML cannot hold."""
    return "".join(
        letter
        if letter in "\t\n\r" or unicodedata.category(letter) not in {"Cc", "Cs"}
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )

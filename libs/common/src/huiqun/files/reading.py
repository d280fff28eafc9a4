"""Reads rows from CSV, JSON lines or a JSON list, and says by line and field what is wrong with the others."""

import codecs
import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Final, Generic, NamedTuple, Self, TypeVar

import orjson

T = TypeVar("T")
#: Longer lines no row has, and they would take long to read for nothing.
MAX_LINE_CHARACTERS: Final = 200_000
_PIECE_BYTES: Final = 256 * 1024

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# gb18030 reads its ancestors, too.
_CHARSETS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}
_WHOLE_ROW: Final = "row"


class RowFormat(StrEnum):
    """The forms in which rows come in."""

    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"

    @classmethod
    def of_file(cls, name: str) -> Self:
        """The form of a file by its name: JSON lines for `.jsonl` and `.ndjson`, else CSV."""
        return cls("jsonl" if PurePath(name).suffix.lower() in {".jsonl", ".ndjson"} else "csv")

    @property
    def media_type(self) -> str:
        """What an upload says that it is."""
        return {
            RowFormat.CSV: "text/csv",
            RowFormat.JSONL: "application/x-ndjson",
            RowFormat.JSON: "application/json",
        }[self]


class UnreadableFileError(ValueError):
    """The file is no text in a charset that is known; the message says where it stops being one."""


class UnknownCharsetError(UnreadableFileError):
    """The charset that is named is none that files come in; the message says which these are."""


class RowError(ValueError):
    """A row cannot be taken: which field of it, and why. Raised by whoever makes a record of a row."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row was not taken. `line` counts from 1: the line in the file, or the place in a JSON list.

    After a fault that `ends` the reading nothing could be read: not even the rows before it are the whole file.
    """

    line: int
    field: str
    reason: str
    ends: bool = False


class Row(NamedTuple):
    """A row, its fields by their names, and the line on which it begins."""

    line: int
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ParsedRows(Generic[T]):
    """The records of the rows that are fit, and the faults of the others.

    Refuse the file if there are `faults`, or take the `records`: both are fine, unless the file `is_cut_off`.
    """

    records: tuple[T, ...]
    faults: tuple[RowFault, ...]

    @property
    def is_cut_off(self) -> bool:
        """Whether something in the file made the rest of it unreadable."""
        return any(fault.ends for fault in self.faults)


def decode_file(content: bytes, charset: str | None = None) -> str:
    """The text of a file: in the charset that is named, by its byte order mark, or in UTF-8, else GB 18030.

    Spreadsheets on Chinese systems write GB 18030. Raises UnreadableFileError.
    """
    if charset is not None and charset.lower() not in _CHARSETS:
        raise UnknownCharsetError(f"the charset {charset} is unknown; there are utf-8 and gb18030")
    named = [_CHARSETS[charset.lower()]] if charset else []
    marked = [name for mark, name in _MARKS if content.startswith(mark)]
    tried = marked or named or ["utf-8", "gb18030"]
    faults: list[str] = []
    for name in tried:
        try:
            return "".join(_decoded(content, name)).removeprefix("\N{BYTE ORDER MARK}")
        except _MisencodedError as error:
            faults.append(f"byte {error.start} of the file is not {name}")
    raise UnreadableFileError("; ".join(faults))


class _MisencodedError(ValueError):
    """From the byte at `start` on the file is not in this charset."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


def _decoded(content: bytes, charset: str) -> Iterator[str]:
    """Decode piece by piece: the interpreter has no other thread run while it decodes one."""
    decoder = codecs.getincrementaldecoder(charset)()
    for start in range(0, len(content), _PIECE_BYTES):
        piece = content[start : start + _PIECE_BYTES]
        left = len(decoder.getstate()[0])
        try:
            yield decoder.decode(piece, final=start + _PIECE_BYTES >= len(content))
        except UnicodeDecodeError as error:
            raise _MisencodedError(start - left + error.start) from None


def read_rows(
    text: str, form: RowFormat, required: Collection[str] = (), *, max_line_characters: int = MAX_LINE_CHARACTERS
) -> Iterator[Row | RowFault]:
    """The rows of a file, and in their places the faults of what is no row; a CSV file has a header.

    `required` are the columns without which a CSV file cannot be what is wanted. A longer line is a fault, which ends
    a CSV file.
    """
    if form is RowFormat.CSV:
        return _csv_rows(text, required, max_line_characters)
    return _json_lines(text, max_line_characters) if form is RowFormat.JSONL else _json_list(text)


def read_csv_header(text: str) -> tuple[str, ...]:
    """The names in the header of a CSV file; none of a file that is empty or no CSV."""
    try:
        return tuple(next(csv.reader(io.StringIO(text, newline=""), strict=True), ()))
    except csv.Error:
        return ()


def parse_rows(
    rows: Iterable[Row | RowFault],
    parse: Callable[[Mapping[str, object]], T],
    *,
    key: tuple[str, Callable[[T], object]] | None = None,
    max_records: int = 1_000_000,
) -> ParsedRows[T]:
    """Make a record of each row. `parse` raises RowError for one that is unfit.

    `key` names a field and makes of a record what must stand in the file once only. Beyond `most` records the rest of
    the file is a fault.
    """
    records: list[T] = []
    faults: list[RowFault] = []
    first_lines: dict[object, int] = {}
    for row in rows:
        if isinstance(row, RowFault):
            faults.append(row)
            continue
        if len(records) >= max_records:
            faults.append(RowFault(row.line, _WHOLE_ROW, f"a file has at most {max_records} rows", ends=True))
            break
        try:
            record = parse(row.fields)
        except RowError as error:
            faults.append(RowFault(row.line, error.field, error.reason))
            continue
        if key is not None and (first := first_lines.setdefault(key[1](record), row.line)) != row.line:
            faults.append(RowFault(row.line, key[0], f"is the same as in line {first}"))
            continue
        records.append(record)
    return ParsedRows(tuple(records), tuple(faults))


def _csv_rows(text: str, required: Collection[str], longest_line: int) -> Iterator[Row | RowFault]:
    if longest_line > csv.field_size_limit():
        csv.field_size_limit(longest_line)  # one for the whole process, and so only ever raised
    reader = csv.DictReader(_bounded_lines(text, longest_line), strict=True)
    try:
        missing = sorted(set(required) - set(reader.fieldnames or ()))
    except csv.Error as error:
        yield RowFault(1, _WHOLE_ROW, str(error), ends=True)
        return
    if missing:
        yield from (RowFault(1, name, "column is missing", ends=True) for name in missing)
        return
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The reader cannot know where the next good row starts once the quoting is broken.
            yield RowFault(line, _WHOLE_ROW, f"{error}; the rest of the file cannot be read", ends=True)
            return
        yield RowFault(line, _WHOLE_ROW, "has more fields than the header") if None in row else Row(line, row)


def _bounded_lines(text: str, longest: int) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        if len(line) > longest:
            raise csv.Error(f"has more than {longest} characters")
        yield line


def _json_lines(text: str, longest_line: int) -> Iterator[Row | RowFault]:
    for line, written in enumerate(io.StringIO(text, newline="\n"), start=1):
        if not written.strip():
            continue
        if len(written) > longest_line:
            yield RowFault(line, _WHOLE_ROW, f"has more than {longest_line} characters")
            continue
        try:
            row = orjson.loads(written)
        except ValueError as error:
            yield RowFault(line, _WHOLE_ROW, f"is not JSON: {error}")
            continue
        yield Row(line, row) if isinstance(row, dict) else RowFault(line, _WHOLE_ROW, "is not a JSON object")


def _json_list(text: str) -> Iterator[Row | RowFault]:
    try:
        rows = orjson.loads(text)
    except ValueError as error:
        yield RowFault(1, _WHOLE_ROW, f"is not JSON: {error}", ends=True)
        return
    if not isinstance(rows, list):
        yield RowFault(1, _WHOLE_ROW, "the document is not a list", ends=True)
        return
    for line, row in enumerate(rows, start=1):
        yield Row(line, row) if isinstance(row, dict) else RowFault(line, _WHOLE_ROW, "is not a JSON object")

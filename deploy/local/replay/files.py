"""Reads the rows of a CSV or JSONL file: texts to send, or events as they are. A bad row is named and passed over."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huiqun.contracts.catalog import EVENTS_BY_TOPIC, UndecodableError, decode
from huiqun.contracts.channel import MAX_TEXT
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES, Topic

DEFAULT_COLUMN: Final = "text"
_TOPIC_OF: Final[dict[str, Topic]] = {
    str(event.model_fields["type"].default): topic
    for topic in (CHANNEL_MESSAGES, CHANNEL_MEMBERS)
    for event in EVENTS_BY_TOPIC[topic.name]
}


class UnreadableFileError(Exception):
    """The file cannot be read at all."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not sent: its line in the file, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file holds: texts and events in their order, and what is wrong with the other rows."""

    items: tuple[str | Event, ...]
    bad: tuple[BadRow, ...]


class _UnfitError(ValueError):
    """The row cannot be sent; the message says why."""


def read_rows(path: Path, column: str | None = None) -> Rows:
    """Read a file; `.jsonl` and `.ndjson` as JSON lines, anything else as CSV. Raises UnreadableFileError."""
    text = _decoded(path)
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        found = _json_lines(text, column or DEFAULT_COLUMN)
    else:
        found = _csv(text, column)
    rows = list(found)
    return Rows(
        tuple(row for row in rows if not isinstance(row, BadRow)), tuple(row for row in rows if isinstance(row, BadRow))
    )


def _decoded(path: Path) -> str:
    """UTF-8 with or without a byte-order mark; else GB18030, which spreadsheets in China write."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError(f"{path} is neither UTF-8 nor GB18030.")


def _csv(text: str, column: str | None) -> Iterator[str | BadRow]:
    # An overlong cell is a bad row, not the end of the file. The limit is one for the whole process: only raise it.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    at = _position(header, column)
    line = reader.line_num
    try:
        for row in reader:
            start, line = line + 1, reader.line_num
            if not row:
                continue
            if len(row) != len(header):
                yield BadRow(start, f"has {len(row)} fields, the header {len(header)}")
                continue
            try:
                yield _checked(row[at])
            except _UnfitError as error:
                yield BadRow(start, str(error))
    except csv.Error as error:
        yield BadRow(reader.line_num, f"from here on this is no CSV: {error}")


def _position(header: list[str], column: str | None) -> int:
    if column is not None and column in header:
        return header.index(column)
    if column is None:
        found = [at for at, name in enumerate(header) if name.strip().lower() == DEFAULT_COLUMN]
        if found:
            return found[0]
    wanted = f"column {column!r}" if column else f"column {DEFAULT_COLUMN!r}; name yours with --column"
    listed = ", ".join(map(repr, header)) or "none"
    raise UnreadableFileError(f"There is no {wanted}. The columns are: {listed}.")


def _json_lines(text: str, column: str) -> Iterator[str | Event | BadRow]:
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            yield _json_row(content, column)
        except _UnfitError as error:
            yield BadRow(line, str(error))


def _json_row(content: str, column: str) -> str | Event:
    try:
        value: Any = json.loads(content)
    except (json.JSONDecodeError, RecursionError) as error:
        reason = f"is no JSON: {error}"
        raise _UnfitError(reason) from None
    if not isinstance(value, dict):
        raise _UnfitError("is no JSON object")
    if "specversion" in value:
        return _event(value, content)
    if not isinstance(value.get(column), str):
        reason = f"has no text in {column!r}; its fields are: {', '.join(map(repr, value)) or 'none'}"
        raise _UnfitError(reason)
    return _checked(value[column])


def _event(value: dict[str, Any], content: str) -> Event:
    topic = _TOPIC_OF.get(str(value.get("type")))
    if topic is None:
        reason = f"is no event of a channel: type {value.get('type')!r}"
        raise _UnfitError(reason[:200])
    try:
        return decode(topic, content.encode())
    except UndecodableError as error:
        raise _UnfitError(str(error)) from None


def _checked(text: str) -> str:
    if not text.strip():
        raise _UnfitError("has an empty text")
    if len(text) > MAX_TEXT:
        reason = f"has {len(text)} characters; a message has at most {MAX_TEXT}"
        raise _UnfitError(reason)
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise _UnfitError("has half a character (a lone surrogate)")
    return text

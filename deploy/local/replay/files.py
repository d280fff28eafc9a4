"""Reads the rows of a CSV or JSONL file: texts to send, or events as they are. A bad row is named and passed over."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from huiqun.contracts.catalog import EVENTS_BY_TOPIC, UndecodableError, decode_event
from huiqun.contracts.channel import MAX_TEXT
from huiqun.contracts.envelope import Event
from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES, Topic
from huiqun.files.reading import (
    ParsedRows,
    RowError,
    RowFormat,
    UnreadableFileError,
    decode_file,
    parse_rows,
    read_csv_header,
    read_rows,
)

DEFAULT_COLUMN: Final = "text"
_TOPIC_OF: Final[dict[str, Topic]] = {
    str(event.model_fields["type"].default): topic
    for topic in (CHANNEL_MESSAGES, CHANNEL_MEMBERS)
    for event in EVENTS_BY_TOPIC[topic.name]
}
ReplayRows = ParsedRows[str | Event]


def read_texts(path: Path, column: str | None = None) -> ReplayRows:
    """Read a file; `.jsonl` and `.ndjson` as JSON lines, anything else as CSV. Raises UnreadableFileError."""
    try:
        text = decode_file(path.read_bytes())
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from None
    except UnreadableFileError as error:
        raise UnreadableFileError(f"{path}: {error}") from None
    form = RowFormat.of_file(path.name)
    if form is RowFormat.CSV:
        parse = partial(_cell, column=_column_among(read_csv_header(text), column))
    else:
        parse = partial(_item, column=column or DEFAULT_COLUMN)
    # An overlong cell is a bad row, not the end of the file.
    return parse_rows(read_rows(text, form, max_line_characters=len(text) + 1), parse)


def _column_among(header: tuple[str, ...], column: str | None) -> str:
    if column is not None and column in header:
        return column
    if column is None:
        found = [name for name in header if name.strip().lower() == DEFAULT_COLUMN]
        if found:
            return found[0]
    wanted = f"column {column!r}" if column else f"column {DEFAULT_COLUMN!r}; name yours with --column"
    listed = ", ".join(map(repr, header)) or "none"
    raise UnreadableFileError(f"There is no {wanted}. The columns are: {listed}.")


def _cell(row: Mapping[str, Any], column: str) -> str | Event:
    if None in row.values():
        raise RowError("row", "has fewer fields than the header")
    return _checked(row[column], column)


def _item(row: Mapping[str, Any], column: str) -> str | Event:
    if "specversion" in row:
        return _event(row)
    if not isinstance(row.get(column), str):
        reason = f"has no text in {column!r}; its fields are: {', '.join(map(repr, row)) or 'none'}"
        raise RowError("row", reason)
    return _checked(row[column], column)


def _event(row: Mapping[str, Any]) -> Event:
    topic = _TOPIC_OF.get(str(row.get("type")))
    if topic is None:
        reason = f"is no event of a channel: type {row.get('type')!r}"
        raise RowError("row", reason[:200])
    try:
        return decode_event(topic, orjson.dumps(row))
    except UndecodableError as error:
        raise RowError("row", str(error)) from None


def _checked(text: str, column: str) -> str:
    if not text.strip():
        raise RowError(column, "is empty")
    if len(text) > MAX_TEXT:
        raise RowError(column, f"has {len(text)} characters; a message has at most {MAX_TEXT}")
    return text

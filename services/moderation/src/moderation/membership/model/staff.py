"""The list of authorised staff, as it is read from a file: every row that cannot be taken is named by its line."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import orjson

from huiqun.runtime.placeholders import is_placeholder

MAX_STAFF = 50_000
_LONGEST_ID = 128
_LONGEST_NAME = 256
_FIELDS = ("staff_id", "name", "departed_on")


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who may be in groups as staff, until the day they left."""

    staff_id: str
    name: str
    departed_on: date | None = None

    def has_departed(self, today: date) -> bool:
        """Whether today is their last day, or later."""
        return self.departed_on is not None and self.departed_on <= today


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row was not taken. `line` counts from 1: the line of a CSV file, or the place in a JSON list."""

    line: int
    field: str
    reason: str


class UnfitStaffError(ValueError):
    """Rows of the file are unfit, so none was taken; `faults` says which and why."""

    def __init__(self, faults: tuple[RowFault, ...]) -> None:
        super().__init__(f"{len(faults)} rows cannot be taken")
        self.faults = faults


_Row = Mapping[str, object]


def read_csv(content: str) -> tuple[Staff, ...]:
    """Read a CSV file with a header: `staff_id`, `name` and, if any has left, `departed_on`. UnfitStaffError."""
    reader = csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline=""), strict=True)
    line = 1
    rows: list[tuple[int, object]] = []
    try:
        if missing := {"staff_id", "name"} - set(reader.fieldnames or ()):
            raise UnfitStaffError(tuple(RowFault(1, name, "the column is missing") for name in sorted(missing)))
        while True:
            line = reader.line_num + 1
            rows.append((line, next(reader)))
    except StopIteration:
        return _read(rows)
    except csv.Error as error:
        raise UnfitStaffError((RowFault(line, "row", str(error)),)) from error


def read_json(content: str) -> tuple[Staff, ...]:
    """Read a JSON list of objects with the fields of the CSV columns. UnfitStaffError."""
    try:
        rows = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnfitStaffError((RowFault(1, "row", f"is not JSON: {error}"),)) from error
    if not isinstance(rows, list):
        raise UnfitStaffError((RowFault(1, "row", "the document is not a list"),))
    return _read(enumerate(rows, start=1))


def _read(rows: Iterable[tuple[int, object]]) -> tuple[Staff, ...]:
    staff: list[Staff] = []
    faults: list[RowFault] = []
    first_lines: dict[str, int] = {}
    for line, row in rows:
        if len(staff) >= MAX_STAFF:
            faults.append(RowFault(line, "row", f"a list has at most {MAX_STAFF} rows"))
            break
        found = list(_faults(line, row))
        if found or not isinstance(row, dict):
            faults += found
            continue
        person = _staff(row)
        first = first_lines.setdefault(person.staff_id, line)
        if first == line:
            staff.append(person)
        else:
            faults.append(RowFault(line, "staff_id", f"is the same as in line {first}"))
    if faults:
        raise UnfitStaffError(tuple(faults))
    return tuple(staff)


def _faults(line: int, row: object) -> Iterator[RowFault]:
    if not isinstance(row, dict):
        yield RowFault(line, "row", "is not an object")
        return
    if None in row:
        yield RowFault(line, "row", "has more fields than the header")
    elif unknown := sorted(name for name in row if name not in _FIELDS):
        yield RowFault(line, unknown[0], "is no field of this list")
    for name, longest in (("staff_id", _LONGEST_ID), ("name", _LONGEST_NAME)):
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            yield RowFault(line, name, "is missing")
        elif "\0" in value:
            yield RowFault(line, name, "contains the NUL character")
        elif len(value) > longest:
            yield RowFault(line, name, f"has more than {longest} characters")
        elif name == "staff_id" and is_placeholder(value):
            yield RowFault(line, name, "is a placeholder: it would authorise whoever has no id")
    try:
        _day(row.get("departed_on"))
    except (TypeError, ValueError):
        yield RowFault(line, "departed_on", "is not a date like 2026-11-30")


def _staff(row: _Row) -> Staff:
    return Staff(str(row["staff_id"]).strip(), str(row["name"]).strip(), _day(row.get("departed_on")))


def _day(value: object) -> date | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise TypeError("not text")
    return date.fromisoformat(value.strip())

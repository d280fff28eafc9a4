"""The list of authorised staff, as it is read from a file: every row that cannot be taken is named by its line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from huiqun.files.reading import RowError, RowFault, RowFormat, parse_rows, read_rows
from huiqun.runtime.placeholders import is_placeholder

MAX_STAFF: Final = 50_000
_LONGEST: Final = {"staff_id": 128, "name": 256}
_FIELDS: Final = (*_LONGEST, "departed_on")


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who may be in groups as staff, until the day they left."""

    staff_id: str
    name: str
    departed_on: date | None = None

    def has_departed(self, today: date) -> bool:
        """Whether today is their last day, or later."""
        return self.departed_on is not None and self.departed_on <= today


class UnfitStaffError(ValueError):
    """Rows of the file are unfit, so none was taken; `faults` says which and why."""

    def __init__(self, faults: tuple[RowFault, ...]) -> None:
        super().__init__(f"{len(faults)} rows cannot be taken")
        self.faults = faults


def parse_staff(text: str, form: RowFormat) -> tuple[Staff, ...]:
    """The staff of a file with the fields `staff_id`, `name` and, of who has left, `departed_on`. UnfitStaffError."""
    rows = read_rows(text, form, tuple(_LONGEST))
    parsed = parse_rows(rows, _staff, key=("staff_id", lambda staff: staff.staff_id), max_records=MAX_STAFF)
    if parsed.faults:
        raise UnfitStaffError(parsed.faults)
    return parsed.records


def _staff(row: Mapping[str, object]) -> Staff:
    if unknown := sorted(name for name in row if name not in _FIELDS):
        raise RowError(unknown[0], "is no field of this list")
    staff_id, name = (_text(row, field) for field in _LONGEST)
    if is_placeholder(staff_id):
        raise RowError("staff_id", "is a placeholder: it would authorise whoever has no id")
    return Staff(staff_id, name, _day(row.get("departed_on")))


def _text(row: Mapping[str, object], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise RowError(field, "is missing")
    if "\0" in value:
        raise RowError(field, "contains the NUL character")
    if len(value) > _LONGEST[field]:
        raise RowError(field, f"has more than {_LONGEST[field]} characters")
    return value.strip()


def _day(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise RowError("departed_on", "is not a date like 2026-11-30") from None

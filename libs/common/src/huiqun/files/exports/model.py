"""An export: what is asked for, how far it has come, and what a service says of the rows that it can export."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

from huiqun.files.writing import Fields, FileFormat, format_header, format_row
from huiqun.store import Reader

S = TypeVar("S")
#: A workbook cannot be written in parts; what fits into memory is one by `huiqun.files.writing.write_file`.
ExportFormat = Literal[FileFormat.JSONL, FileFormat.CSV]
ExportState = Literal["counting", "writing", "sealing", "done", "failed"]
OPEN_EXPORT_STATES: Final[frozenset[ExportState]] = frozenset({"counting", "writing", "sealing"})


@dataclass(frozen=True, slots=True)
class RequestExportCommand:
    """What somebody wants exported; `criteria` is JSON, for the kind to understand and for the audit log to keep."""

    kind: str
    criteria: Mapping[str, Any]
    format: ExportFormat

    @property
    def audit_detail(self) -> dict[str, Any]:
        """What the audit log says of it."""
        return {**self.criteria, "format": self.format.value}


@dataclass(frozen=True, slots=True)
class Export:
    """An export and how far it has come.

    `section` is the index of the section it is at, `after` the place of the last row of it that was written.
    """

    id: str
    command: RequestExportCommand
    requested_by: str
    requested_at: datetime
    state: ExportState = "counting"
    section: int = 0
    after: Any = None
    total: int = 0
    rows: int = 0
    bytes: int = 0
    sha256: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows, and the place of the last one: what BSON can hold."""

    rows: Sequence[Fields]
    last: Any


@dataclass(frozen=True, slots=True)
class ExportKind(Generic[S]):
    """What can be exported: the rows of some sections, one section after the other, each in a fixed order.

    `count_rows` counts those of a section, `read_pages` reads them after a place (None for the beginning).
    `cells` is a row as a spreadsheet shows it.
    """

    name: str
    columns: tuple[str, ...]
    sections: Callable[[Mapping[str, Any]], Sequence[S]]
    count_rows: Callable[[Reader, S], Awaitable[int]]
    read_pages: Callable[[Reader, S, Any], AsyncIterator[RowPage]]
    cells: Callable[[Fields], Fields] = lambda row: row

    def format_header(self, form: ExportFormat) -> bytes:
        """What stands before the first row of a file of this form."""
        return format_header(form, self.columns)

    def format_page(self, form: ExportFormat, page: RowPage) -> list[bytes]:
        """The rows of a page as a file of this form has them."""
        rows = page.rows if form is FileFormat.JSONL else map(self.cells, page.rows)
        return [format_row(form, self.columns, row) for row in rows]

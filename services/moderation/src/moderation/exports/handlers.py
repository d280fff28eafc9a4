"""Exports of what was said in groups: which messages, in which order; the kit's exports do the rest."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from huiqun.files.exports.model import ExportFormat, ExportKind, RequestExportCommand, RowPage
from huiqun.store import Reader
from moderation.archive.handlers import count_messages, read_message_pages
from moderation.archive.model import ArchivePlace, MessageSearch
from moderation.exports.model import MESSAGE_COLUMNS, message_cells, message_fields


@dataclass(frozen=True, slots=True)
class ExportMessagesCommand:
    """Of which groups, sent from a moment up to another, in which form."""

    groups: tuple[str, ...]
    since: datetime
    until: datetime
    format: ExportFormat

    def to_request(self) -> RequestExportCommand:
        """The same as the kit of exports takes it: each group once, by id."""
        criteria = {
            "groups": sorted(set(self.groups)),
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
        }
        return RequestExportCommand(MESSAGE_EXPORT.name, criteria, self.format)


def _searches_of(criteria: Mapping[str, Any]) -> Sequence[MessageSearch]:
    """What is said in each of the groups."""
    since, until = (datetime.fromisoformat(criteria[name]) for name in ("from", "to"))
    return [MessageSearch(group_id, since, until) for group_id in criteria["groups"]]


async def _read_row_pages(reader: Reader, search: MessageSearch, after: Sequence[Any] | None) -> AsyncIterator[RowPage]:
    """What was said in a group, by time and then by id, after a place."""
    place = ArchivePlace(after[0], after[1]) if after else None
    async for found in read_message_pages(reader, search, place):
        yield RowPage([message_fields(each) for each in found], list(found[-1].place))


MESSAGE_EXPORT: Final = ExportKind(
    "messages", MESSAGE_COLUMNS, _searches_of, count_messages, _read_row_pages, message_cells
)

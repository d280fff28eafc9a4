"""Exports of what was said in groups: which messages, in a fixed order, and what a file says of each."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from huiqun.files.exports.model import ExportFormat, ExportKind, RequestExportCommand, RowPage
from huiqun.store import Reader
from moderation.archive.model.rows import COLUMNS, cells_of
from moderation.archive.store import messages
from moderation.archive.store.messages import Archived, Place, Search

_PAGE: Final = 500


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
        return RequestExportCommand(MESSAGES.name, criteria, self.format)


def _searches(criteria: Mapping[str, Any]) -> Sequence[Search]:
    """What is said in each of the groups."""
    since, until = (datetime.fromisoformat(criteria[name]) for name in ("from", "to"))
    return [Search(group_id, since, until) for group_id in criteria["groups"]]


async def _read_pages(reader: Reader, wanted: Search, after: Sequence[Any] | None) -> AsyncIterator[RowPage]:
    """What was said in a group, by time and then by id, after a place."""
    place = Place(after[0], after[1]) if after else None
    full = True
    while full:
        found = await messages.search(reader, wanted, place, _PAGE)
        full = len(found) == _PAGE
        if found:
            place = found[-1].place
            yield RowPage([_row(each) for each in found], list(place))


def _row(archived: Archived) -> dict[str, Any]:
    """What an export says of a message: all that the archive has, without what is only there for matching."""
    document = archived.document
    return {
        "group_id": document["group_id"],
        "message_id": archived.message_id,
        "revision": archived.revision,
        "sent_at": _utc(document["sent_at"]),
        "archived_at": _utc(document.get("archived_at")),
        "member_id": document["member_id"],
        "role": document["role"],
        "kind": document["kind"],
        "verdict": document["verdict"],
        "reasons": document.get("reasons", []),
        "policy": document["policy"],
        "lexicon": document["lexicon"],
        "recalled_by": document.get("recalled_by"),
        "recalled_at": _utc(document.get("recalled_at")),
        "text": document["text"],
    }


def _utc(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


MESSAGES: Final = ExportKind("messages", COLUMNS, _searches, messages.count, _read_pages, cells_of)

"""Read the archive for an export: in a fixed order, a page at a time, from any place on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.store import Reader
from moderation.archive.model.rows import Format, line
from moderation.archive.store import messages
from moderation.archive.store.messages import Archived, Place, Search

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages as lines of a file, and the place of the last one."""

    lines: Sequence[bytes]
    last: Place


async def pages(reader: Reader, wanted: Search, form: Format, after: Place | None = None) -> AsyncIterator[Page]:
    """What was said in a group, by time and then by id, after a place."""
    full = True
    while full:
        found = await messages.search(reader, wanted, after, _PAGE)
        full = len(found) == _PAGE
        if found:
            after = found[-1].place
            yield Page([line(form, row_of(each)) for each in found], after)


def row_of(archived: Archived) -> dict[str, Any]:
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

"""Exports in MongoDB: how far each has got, and its file in parts. All of it goes after a week."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.archive.model.rows import Format
from moderation.archive.store.messages import Place

EXPORTS = "exports"
PARTS = "export_parts"
_KEPT: Final = timedelta(days=7)
INDEXES: Mapping[str, Sequence[Index]] = {
    EXPORTS: (Index((("requested_at", 1),), expires_after=_KEPT),),
    PARTS: (Index((("export_id", 1), ("start", 1)), unique=True), Index((("requested_at", 1),), expires_after=_KEPT)),
}
State = Literal["counting", "writing", "sealing", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Export:
    """An export of what was said in some groups between two moments, and how far it has got.

    `group` is the index of the group it is at, `after` the last message of it that was written.
    """

    id: str
    groups: tuple[str, ...]
    since: datetime
    until: datetime
    format: Format
    requested_by: str
    requested_at: datetime
    state: State = "counting"
    group: int = 0
    after: Place | None = None
    total: int = 0
    messages: int = 0
    bytes: int = 0
    sha256: str | None = None
    finished_at: datetime | None = None


async def save(work: Work, export: Export) -> None:
    """Keep how far an export has got."""
    document = {name: getattr(export, name) for name in Export.__slots__ if name != "id"}
    change = {"$set": {**document, "groups": list(export.groups), "format": export.format.value}}
    await work.collection(EXPORTS).update_one({"_id": export.id}, change, upsert=True)


async def find(reader: Reader, export_id: str) -> Export | None:
    """The export of this id."""
    document = await reader.collection(EXPORTS).find_one({"_id": export_id})
    return _export(document) if document else None


async def listed(reader: Reader, after: str | None, limit: int) -> list[Export]:
    """The exports, newest first, after the given one."""
    query = {"_id": {"$lt": after}} if after else {}
    return [_export(document) async for document in reader.collection(EXPORTS).find(query).sort("_id", -1).limit(limit)]


async def add_parts(work: Work, export: Export, parts: Sequence[bytes]) -> Export:
    """Keep what follows on the parts that are there; returns the export with that many more bytes."""
    documents = []
    for part in parts:
        documents.append(
            {"export_id": export.id, "start": export.bytes, "data": part, "requested_at": export.requested_at}
        )
        export = replace(export, bytes=export.bytes + len(part))
    if documents:
        await work.collection(PARTS).insert_many(documents)
    return export


async def drop_parts(work: Work, export: Export) -> None:
    """Forget the file."""
    await work.collection(PARTS).delete_many({"export_id": export.id})


async def read(reader: Reader, export_id: str, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of the file from `start` up to `end`, a part at a time."""
    first = await reader.collection(PARTS).find_one(
        {"export_id": export_id, "start": {"$lte": start}}, {"start": 1}, sort=[("start", -1)]
    )
    bounds = {"$gte": first["start"] if first else start, "$lt": end}
    cursor = reader.collection(PARTS).find({"export_id": export_id, "start": bounds}).sort("start", 1)
    async for document in cursor.batch_size(2):
        at = document["start"]
        yield document["data"][max(start - at, 0) : end - at]


def _export(document: Mapping[str, Any]) -> Export:
    fields = {name: document[name] for name in Export.__slots__ if name != "id"}
    after = document["after"]
    return Export(
        **{
            **fields,
            "id": document["_id"],
            "groups": tuple(document["groups"]),
            "format": Format(document["format"]),
            "after": Place(after[0], after[1]) if after else None,
        }
    )

"""Exports in MongoDB: how far each has come, and its file in parts. All of it goes after a week."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from huiqun.files.exports.model import Export, RequestExportCommand
from huiqun.files.writing import FileFormat
from huiqun.store import Index, Reader
from huiqun.work import Work

EXPORTS: Final = "exports"
EXPORT_FILE_PARTS: Final = "export_parts"
_KEPT: Final = timedelta(days=7)
EXPORT_INDEXES: Mapping[str, Sequence[Index]] = {
    EXPORTS: (Index((("requested_at", 1),), expires_after=_KEPT), Index((("kind", 1), ("_id", -1)))),
    EXPORT_FILE_PARTS: (
        Index((("export_id", 1), ("start", 1)), unique=True),
        Index((("requested_at", 1),), expires_after=_KEPT),
    ),
}
_PROGRESS: Final = tuple(name for name in Export.__slots__ if name not in {"id", "command"})


async def save_export(work: Work, export: Export) -> None:
    """Keep how far an export has come."""
    command = export.command
    document = {
        "kind": command.kind,
        "criteria": dict(command.criteria),
        "format": command.format.value,
        **{name: getattr(export, name) for name in _PROGRESS},
    }
    await work.collection(EXPORTS).replace_one({"_id": export.id}, document, upsert=True)


async def find_export(reader: Reader, export_id: str) -> Export | None:
    """The export of this id, of whatever kind."""
    document = await reader.collection(EXPORTS).find_one({"_id": export_id})
    return _export(document) if document else None


async def list_exports(reader: Reader, kind: str, after: str | None, limit: int) -> list[Export]:
    """The exports of a kind, newest first, after the given one."""
    query: dict[str, Any] = {"kind": kind}
    if after is not None:
        query["_id"] = {"$lt": after}
    return [_export(document) async for document in reader.collection(EXPORTS).find(query).sort("_id", -1).limit(limit)]


async def append_file_parts(work: Work, export: Export, parts: Sequence[bytes]) -> Export:
    """Keep what follows on the parts that are there; returns the export with that many more bytes."""
    documents = []
    for part in parts:
        documents.append(
            {"export_id": export.id, "start": export.bytes, "data": part, "requested_at": export.requested_at}
        )
        export = replace(export, bytes=export.bytes + len(part))
    if documents:
        await work.collection(EXPORT_FILE_PARTS).insert_many(documents)
    return export


async def delete_file_parts(work: Work, export: Export) -> None:
    """Forget the file."""
    await work.collection(EXPORT_FILE_PARTS).delete_many({"export_id": export.id})


async def read_file_bytes(reader: Reader, export_id: str, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of the file from `start` up to `end`, a part at a time."""
    first = await reader.collection(EXPORT_FILE_PARTS).find_one(
        {"export_id": export_id, "start": {"$lte": start}}, {"start": 1}, sort=[("start", -1)]
    )
    bounds = {"$gte": first["start"] if first else start, "$lt": end}
    cursor = reader.collection(EXPORT_FILE_PARTS).find({"export_id": export_id, "start": bounds}).sort("start", 1)
    async for document in cursor.batch_size(2):
        at = document["start"]
        yield document["data"][max(start - at, 0) : end - at]


def _export(document: Mapping[str, Any]) -> Export:
    form = FileFormat(document["format"])
    if form is FileFormat.XLSX:
        raise ValueError(f"export {document['_id']} is said to be a workbook")
    command = RequestExportCommand(document["kind"], document["criteria"], form)
    return Export(id=document["_id"], command=command, **{name: document[name] for name in _PROGRESS})

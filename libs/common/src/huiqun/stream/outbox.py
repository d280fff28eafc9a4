"""The outbox: a batch's outgoing records as one document in its transaction, deleted once they are published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.runtime.ids import new_id
from huiqun.store import Database, Index, Session
from huiqun.stream.publisher import Record

OUTBOX = "outbox"
OUTBOX_INDEXES: Mapping[str, Sequence[Index]] = {OUTBOX: (Index((("at", 1),)), Index((("partitions", 1),)))}

# MongoDB refuses documents over 16 MiB; a batch of large events becomes several documents.
_MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the outbox and the records in it."""

    id: str
    records: tuple[Record, ...]


async def put(
    database: Database, session: Session, records: Sequence[Record], partitions: Sequence[str], now: datetime
) -> list[Entry]:
    """Keep `records` in the caller's transaction. `partitions` names where the batch came from, "topic/number" each."""
    entries = [Entry(new_id(), chunk) for chunk in _chunks(records)]
    if entries:
        documents = [
            {"_id": entry.id, "at": now, "partitions": list(partitions), "records": list(map(_fields, entry.records))}
            for entry in entries
        ]
        await database[OUTBOX].insert_many(documents, session=session)
    return entries


async def remove(database: Database, entries: Sequence[Entry]) -> None:
    """Forget entries that have been published."""
    if entries:
        await database[OUTBOX].delete_many({"_id": {"$in": [entry.id for entry in entries]}})


async def left_by(database: Database, partitions: Sequence[str], limit: int = 100) -> list[Entry]:
    """The oldest entries that batches of these partitions have left unpublished."""
    return await _find(database, {"partitions": {"$in": list(partitions)}}, limit)


async def older_than(database: Database, moment: datetime, limit: int = 100) -> list[Entry]:
    """The oldest entries that nobody has published since `moment`."""
    return await _find(database, {"at": {"$lt": moment}}, limit)


async def depth(database: Database) -> int:
    """How many entries wait; more than a handful for long means that the broker takes nothing."""
    return int(await database[OUTBOX].count_documents({}, limit=10_000))


async def _find(database: Database, query: Mapping[str, Any], limit: int) -> list[Entry]:
    # Ids rise with time, so their order is the order of the commits of one process.
    cursor = database[OUTBOX].find(query).sort("_id", 1).limit(limit)
    return [Entry(document["_id"], tuple(map(_record, document["records"]))) async for document in cursor]


def _chunks(records: Sequence[Record]) -> Iterator[tuple[Record, ...]]:
    chunk: list[Record] = []
    size = 0
    for record in records:
        length = len(record.value or b"") + 512
        if chunk and size + length > _MAX_BYTES:
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(record)
        size += length
    if chunk:
        yield tuple(chunk)


def _fields(record: Record) -> list[Any]:
    return [record.topic, record.key, record.value, record.headers]


def _record(fields: Sequence[Any]) -> Record:
    topic, key, value, headers = fields
    return Record(topic, key, value, tuple((name, bytes(content)) for name, content in headers))

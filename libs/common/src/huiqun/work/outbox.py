"""The outbox: a batch's outgoing records as one document in its transaction, deleted once they are published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from struct import pack, unpack
from typing import Any, Final

from huiqun.kafka.publisher import Record
from huiqun.runtime.ids import new_id
from huiqun.store import Database, Index
from huiqun.work.unit_of_work import Work

OUTBOX = "outbox"
OUTBOX_INDEXES: Mapping[str, Sequence[Index]] = {OUTBOX: (Index((("at", 1),)), Index((("partitions", 1),)))}

# MongoDB refuses documents over 16 MiB; a batch of large events becomes several documents.
_MAX_BYTES = 8 * 1024 * 1024
# Where a record has no key or no value, in place of its length.
_NOTHING: Final = -1


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A document of the outbox and the records in it."""

    id: str
    records: tuple[Record, ...]


async def insert_outbox_entry(work: Work, records: Sequence[Record], partitions: Sequence[str]) -> list[OutboxEntry]:
    """Keep `records` in the transaction. `partitions` names where the batch came from, "topic/number" each."""
    entries = [OutboxEntry(new_id(), chunk) for chunk in _chunks(records)]
    if entries:
        documents = [
            {"_id": entry.id, "at": work.now, "partitions": list(partitions), **_packed(entry.records)}
            for entry in entries
        ]
        await work.collection(OUTBOX).insert_many(documents)
    return entries


async def delete_outbox_entries(database: Database, entries: Sequence[OutboxEntry]) -> None:
    """Forget entries that have been published."""
    if entries:
        await database[OUTBOX].delete_many({"_id": {"$in": [entry.id for entry in entries]}})


async def list_unpublished_entries(
    database: Database, partitions: Sequence[str], limit: int = 100
) -> list[OutboxEntry]:
    """The oldest entries that batches of these partitions have left unpublished."""
    return await _find(database, {"partitions": {"$in": list(partitions)}}, limit)


async def list_overdue_entries(database: Database, moment: datetime, limit: int = 100) -> list[OutboxEntry]:
    """The oldest entries that nobody has published since `moment`."""
    return await _find(database, {"at": {"$lt": moment}}, limit)


async def count_outbox_entries(database: Database) -> int:
    """How many entries wait; more than a handful for long means that the broker takes nothing."""
    return int(await database[OUTBOX].count_documents({}, limit=10_000))


async def _find(database: Database, query: Mapping[str, Any], limit: int) -> list[OutboxEntry]:
    # Ids rise with time, so their order is the order of the commits of one process.
    cursor = database[OUTBOX].find(query).sort("_id", 1).limit(limit)
    return [OutboxEntry(document["_id"], tuple(_unpacked(document))) async for document in cursor]


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


def _packed(records: Sequence[Record]) -> dict[str, Any]:
    """The records as three fields, which cost the server a third less than an array of arrays.

    `kinds` are the pairs of topic and headers there are; `shape` has for each record the number of its kind and the
    lengths of its key and value, 32 bits each; `content` is all keys and values, one after the other.
    """
    kinds: dict[tuple[str, tuple[tuple[str, bytes], ...]], int] = {}
    shape: list[int] = []
    content: list[bytes] = []
    for topic, key, value, headers in records:
        shape.append(kinds.setdefault((topic, headers), len(kinds)))
        for part in (key, value):
            if part is None:
                shape.append(_NOTHING)
            else:
                shape.append(len(part))
                content.append(part)
    return {"kinds": list(kinds), "shape": pack(f"<{len(shape)}i", *shape), "content": b"".join(content)}


def _unpacked(document: Mapping[str, Any]) -> Iterator[Record]:
    kinds = [(topic, tuple((name, bytes(value)) for name, value in headers)) for topic, headers in document["kinds"]]
    shape = iter(unpack(f"<{len(document['shape']) // 4}i", document["shape"]))
    content = document["content"]
    at = 0
    for kind, *lengths in zip(shape, shape, shape, strict=True):
        parts: list[bytes | None] = []
        for length in lengths:
            parts.append(None if length == _NOTHING else content[at : at + length])
            at += max(length, 0)
        topic, headers = kinds[kind]
        yield Record(topic, parts[0], parts[1], headers)

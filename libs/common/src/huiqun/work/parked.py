"""Parked records: outgoing records larger than their topic takes, kept where an operator sees them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

import structlog

from huiqun.kafka import Publisher
from huiqun.kafka.publisher import Record, RecordsTooLargeError
from huiqun.runtime.clock import Clock
from huiqun.runtime.errors import NotFoundError
from huiqun.store import Database, Index, UpdateOne
from huiqun.telemetry import metrics
from huiqun.work.outbox import OutboxEntry
from huiqun.work.retry import retry_forever
from huiqun.work.unit_of_work import Work

PARKED = "outbox_parked"
PARKED_INDEXES: Mapping[str, Sequence[Index]] = {PARKED: (Index((("parked_at", 1),)),)}

# A gauge need not be exact where there is so much to do.
_MOST_COUNTED = 10_000
# So many lines of their own have the records that one publish parks; more have one together.
_MOST_LINES = 20
_log = structlog.get_logger(__name__)


class ParkedRecordNotFoundError(NotFoundError):
    """There is no parked record of this id."""


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that is committed and not published, its size in bytes, and why; `id` is entry and place in it."""

    id: str
    record: Record
    size: int
    parked_at: datetime
    reason: str


async def park_records(
    database: Database, entries: Sequence[OutboxEntry], refused: Mapping[int, int], now: datetime
) -> None:
    """Keep the records of `entries` that the broker refused; their entries may be removed after this.

    `refused` maps a record's place among all records of the entries, in order, to its size. Safe to repeat.
    """
    found = [_parked(*each, now) for each in _refused(entries, refused)]
    operations = [UpdateOne({"_id": each.id}, {"$setOnInsert": _document(each)}, upsert=True) for each in found]
    written = await database[PARKED].bulk_write(operations, ordered=False)
    new = [found[index] for index in (written.upserted_ids or {})]
    for each in new:
        metrics.OUTBOX_PARKED.labels(topic=each.record.topic).inc()
    for each in new[:_MOST_LINES]:
        _log.error("record_parked", id=each.id, topic=each.record.topic, bytes=each.size)
    if len(new) > _MOST_LINES:
        _log.error("records_parked", records=len(new), lines_left_out=len(new) - _MOST_LINES)


class ParkingPublisher:
    """Publishes records that stand in no outbox; those that are too large are parked, and nobody waits for them."""

    def __init__(self, publisher: Publisher, database: Database, clock: Clock) -> None:
        """Park in `database` what `publisher` cannot send."""
        self._publisher = publisher
        self._database = database
        self._clock = clock

    async def publish(self, records: Sequence[Record]) -> None:
        """Send the records in order and wait until each is acknowledged or parked; raises KafkaError.

        Parking takes as long as the store is away. Who parks the same record again changes nothing.
        """
        try:
            await self._publisher.publish(records)
        except RecordsTooLargeError as error:
            entries = [OutboxEntry(_fingerprint(record), (record,)) for record in records]
            attempt = partial(park_records, self._database, entries, error.refused, self._clock.now())
            await retry_forever(attempt, name="dead-letters")


async def list_parked_records(database: Database, limit: int) -> list[ParkedRecord]:
    """The records that have been parked longest."""
    cursor = database[PARKED].find().sort([("parked_at", 1), ("_id", 1)]).limit(limit)
    return [_read(document) async for document in cursor]


async def get_parked_record(database: Database, parked_id: str) -> ParkedRecord:
    """The parked record of this id; raises ParkedRecordNotFoundError."""
    document = await database[PARKED].find_one({"_id": parked_id})
    if document is None:
        raise ParkedRecordNotFoundError(parked_id)
    return _read(document)


async def remove_parked_record(work: Work, parked_id: str) -> None:
    """Forget a record that was published after all or is given up; raises ParkedRecordNotFoundError."""
    result = await work.collection(PARKED).delete_one({"_id": parked_id})
    if not result.deleted_count:
        raise ParkedRecordNotFoundError(parked_id)


async def count_parked_records(database: Database) -> int:
    """How many records are parked, 10,000 at most."""
    return int(await database[PARKED].count_documents({}, limit=_MOST_COUNTED))


def _refused(entries: Sequence[OutboxEntry], refused: Mapping[int, int]) -> Iterator[tuple[str, Record, int]]:
    place = 0
    for entry in entries:
        for number, record in enumerate(entry.records):
            if place in refused:
                yield f"{entry.id}-{number}", record, refused[place]
            place += 1


def _fingerprint(record: Record) -> str:
    digest = sha256(record.topic.encode())
    for part in (record.key, record.value):
        digest.update(b"\0" if part is None else b"\1%d\0" % len(part) + part)
    return digest.hexdigest()[:32]


def _parked(parked_id: str, record: Record, size: int, now: datetime) -> ParkedRecord:
    reason = f"{size} bytes are more than {record.topic} takes (max.message.bytes)"
    return ParkedRecord(parked_id, record, size, now, reason)


def _document(parked: ParkedRecord) -> dict[str, Any]:
    topic, key, value, headers = parked.record
    return {
        "topic": topic,
        "key": key,
        "value": value,
        "headers": [list(header) for header in headers],
        "size": parked.size,
        "parked_at": parked.parked_at,
        "reason": parked.reason,
    }


def _read(document: Mapping[str, Any]) -> ParkedRecord:
    headers = tuple((name, bytes(value)) for name, value in document["headers"])
    record = Record(document["topic"], document["key"], document["value"], headers)
    return ParkedRecord(document["_id"], record, document["size"], document["parked_at"], document["reason"])

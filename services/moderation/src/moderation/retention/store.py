"""Legal holds in MongoDB, lifted ones as well, and for how many days the messages of groups are kept."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.retention.model import LegalHold

HOLDS = "holds"
HOLD_STAMPS = "hold_stamps"
#: For how many days the messages of a group are kept, as far as it has been carried out.
RETENTIONS = "retentions"
RETENTION_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    HOLDS: (Index((("lifted_at", 1),)),),
    HOLD_STAMPS: (),
    RETENTIONS: (),
}
_STAMP = "holds"


async def get_hold_revision(reader: Reader) -> int:
    """A number that rises whenever a hold is placed or lifted."""
    stamp = await reader.collection(HOLD_STAMPS).find_one({"_id": _STAMP})
    return int(stamp.get("revision", 0)) if stamp else 0


async def list_open_holds(reader: Reader) -> list[LegalHold]:
    """The holds that nobody has lifted."""
    return [_hold(document) async for document in reader.collection(HOLDS).find({"lifted_at": None})]


async def find_hold(reader: Reader, hold_id: str) -> LegalHold | None:
    """The hold of this id."""
    document = await reader.collection(HOLDS).find_one({"_id": hold_id})
    return _hold(document) if document else None


async def list_holds(reader: Reader, after: str | None, limit: int, *, only_open: bool) -> list[LegalHold]:
    """The holds, newest first, after the given one."""
    query: dict[str, Any] = {"_id": {"$lt": after}} if after else {}
    if only_open:
        query["lifted_at"] = None
    return [_hold(document) async for document in reader.collection(HOLDS).find(query).sort("_id", -1).limit(limit)]


async def insert_hold(work: Work, hold: LegalHold) -> None:
    """Keep a new hold."""
    document = {
        "_id": hold.id,
        "groups": list(hold.groups),
        "members": list(hold.members),
        "since": hold.since,
        "until": hold.until,
        "reason": hold.reason,
        "placed_by": hold.placed_by,
        "placed_at": hold.placed_at,
        "lifted_at": None,
    }
    await work.collection(HOLDS).insert_one(document)
    await _raise_stamp(work, "revision")


async def mark_hold_lifted(work: Work, hold: LegalHold) -> None:
    """Note by whom, when and why a hold was lifted."""
    change = {"lifted_by": hold.lifted_by, "lifted_at": hold.lifted_at, "lift_reason": hold.lift_reason}
    await work.collection(HOLDS).update_one({"_id": hold.id}, {"$set": change})
    await _raise_stamp(work, "revision")


async def conflict_with_new_holds(work: Work) -> None:
    """Make this transaction and one that places a hold exclude each other.

    Who lets messages expire has to know of every hold: a hold that is placed meanwhile makes it look again.
    """
    await _raise_stamp(work, "guarded")


async def find_retention_days(work: Work, group_ids: Sequence[str]) -> dict[str, int]:
    """The days by group, as carried out; a group that nobody has looked at yet is not among these."""
    cursor = work.collection(RETENTIONS).find({"_id": {"$in": list(group_ids)}})
    return {document["_id"]: document["days"] async for document in cursor}


async def save_retention_days(work: Work, days: Mapping[str, int]) -> None:
    """Note the days by group."""
    operations = [
        UpdateOne({"_id": group_id}, {"$set": {"days": each, "changed_at": work.now}}, upsert=True)
        for group_id, each in days.items()
    ]
    if operations:
        await work.collection(RETENTIONS).bulk_write(operations)


async def _raise_stamp(work: Work, field: str) -> None:
    await work.collection(HOLD_STAMPS).update_one({"_id": _STAMP}, {"$inc": {field: 1}}, upsert=True)


def _hold(document: Mapping[str, Any]) -> LegalHold:
    return LegalHold(
        id=document["_id"],
        groups=tuple(document["groups"]),
        members=tuple(document["members"]),
        since=document["since"],
        until=document["until"],
        reason=document["reason"],
        placed_by=document["placed_by"],
        placed_at=document["placed_at"],
        lifted_by=document.get("lifted_by"),
        lifted_at=document["lifted_at"],
        lift_reason=document.get("lift_reason"),
    )

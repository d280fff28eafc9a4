"""Legal holds in MongoDB; a lifted one stays on record."""

from collections.abc import Mapping, Sequence
from typing import Any

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.archive.model import Hold

HOLDS = "holds"
STAMPS = "hold_stamps"
INDEXES: Mapping[str, Sequence[Index]] = {HOLDS: (Index((("lifted_at", 1),)),), STAMPS: ()}
_STAMP = "holds"


async def revision(reader: Reader) -> int:
    """A number that rises whenever a hold is placed or lifted."""
    stamp = await reader.collection(STAMPS).find_one({"_id": _STAMP})
    return int(stamp.get("revision", 0)) if stamp else 0


async def open_holds(reader: Reader) -> list[Hold]:
    """The holds that nobody has lifted."""
    return [_hold(document) async for document in reader.collection(HOLDS).find({"lifted_at": None})]


async def find(reader: Reader, hold_id: str) -> Hold | None:
    """The hold of this id."""
    document = await reader.collection(HOLDS).find_one({"_id": hold_id})
    return _hold(document) if document else None


async def listed(reader: Reader, after: str | None, limit: int, *, only_open: bool) -> list[Hold]:
    """The holds, newest first, after the given one."""
    query: dict[str, Any] = {"_id": {"$lt": after}} if after else {}
    if only_open:
        query["lifted_at"] = None
    return [_hold(document) async for document in reader.collection(HOLDS).find(query).sort("_id", -1).limit(limit)]


async def add(work: Work, hold: Hold) -> None:
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
    await _touch(work, "revision")


async def lift(work: Work, hold: Hold) -> None:
    """Note by whom, when and why a hold was lifted."""
    change = {"lifted_by": hold.lifted_by, "lifted_at": hold.lifted_at, "lift_reason": hold.lift_reason}
    await work.collection(HOLDS).update_one({"_id": hold.id}, {"$set": change})
    await _touch(work, "revision")


async def guard(work: Work) -> None:
    """Make this transaction and one that places a hold exclude each other.

    Who lets messages expire has to know of every hold: a hold that is placed meanwhile makes it look again.
    """
    await _touch(work, "guarded")


async def _touch(work: Work, field: str) -> None:
    await work.collection(STAMPS).update_one({"_id": _STAMP}, {"$inc": {field: 1}}, upsert=True)


def _hold(document: Mapping[str, Any]) -> Hold:
    return Hold(
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

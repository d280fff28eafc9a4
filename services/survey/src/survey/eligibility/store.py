"""Eligibility in MongoDB: one read and one bulk write for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from huiqun.contracts.channel import LeaveReason, Role
from huiqun.store import Database, Index, ReplaceOne, UpdateOne
from huiqun.work import Work
from survey.eligibility.model import Eligibility, key_of

ELIGIBILITY = "eligibility"
GROUPS = "groups"
INDEXES: Mapping[str, Sequence[Index]] = {
    ELIGIBILITY: (
        Index((("group_id", 1),)),
        Index((("member_id", 1),)),
        # Only of who is gone: an index on what every message changes would cost as much as the message.
        Index((("updated_at", 1),), expires_after=timedelta(days=400), where={"in_group": False}),
    ),
    GROUPS: (),
}
_MOMENTS = ("role_at", "moved_at", "wrote_at")


async def load(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, Eligibility]:
    """The eligibility of (group, member) pairs by key; a new one for who has none."""
    wanted = {key_of(*pair): pair for pair in members}
    found = await _find(work, {"_id": {"$in": list(wanted)}})
    dismissed = await _dismissed(work, {group_id for group_id, _ in wanted.values()})
    records = {key: found.get(key) or Eligibility(*pair) for key, pair in wanted.items()}
    for record in records.values():
        record.group_dismissed = record.group_id in dismissed
    return records


async def read(database: Database, group_id: str, member_id: str) -> Eligibility | None:
    """The eligibility of one member."""
    document = await database[ELIGIBILITY].find_one({"_id": key_of(group_id, member_id)})
    return _record(document) if document else None


async def of_group(database: Database, group_id: str, after: str, limit: int) -> list[Eligibility]:
    """The eligibility of a group's members by member id, after the given one."""
    # The ids of a group are those between "group/" and what follows it, "group0".
    query = {"_id": {"$gt": key_of(group_id, after), "$lt": f"{group_id}0"}}
    return [_record(document) async for document in database[ELIGIBILITY].find(query).sort("_id", 1).limit(limit)]


async def members_of(work: Work, group_ids: Iterable[str]) -> dict[str, Eligibility]:
    """The eligibility of everybody known in these groups, by key."""
    return await _find(work, {"group_id": {"$in": list(group_ids)}})


async def save(work: Work, records: Iterable[Eligibility]) -> None:
    """Write the eligibility back."""
    operations = [ReplaceOne({"_id": record.key}, _document(record, work), upsert=True) for record in records]
    if operations:
        await work.db[ELIGIBILITY].bulk_write(operations, ordered=False, session=work.session)


async def note_dismissed(work: Work, group_ids: Iterable[str]) -> None:
    """Remember that groups are no more, for the members of whom we hear later."""
    change = {"$set": {"dismissed": True, "updated_at": work.now}}
    operations = [UpdateOne({"_id": group_id}, change, upsert=True) for group_id in group_ids]
    await work.db[GROUPS].bulk_write(operations, ordered=False, session=work.session)


async def _dismissed(work: Work, group_ids: Iterable[str]) -> set[str]:
    query = {"_id": {"$in": list(group_ids)}, "dismissed": True}
    return {document["_id"] async for document in work.db[GROUPS].find(query, {"_id": 1}, session=work.session)}


async def _find(work: Work, query: Mapping[str, Any]) -> dict[str, Eligibility]:
    cursor = work.db[ELIGIBILITY].find(query, session=work.session)
    return {document["_id"]: _record(document) async for document in cursor}


def _document(record: Eligibility, work: Work) -> dict[str, Any]:
    obstacle = record.obstacle(work.now)
    document: dict[str, Any] = {
        "_id": record.key,
        "group_id": record.group_id,
        "member_id": record.member_id,
        "in_group": record.in_group,
        # Time alone makes an eligible member silent: who asks compares `eligible_until` with the present.
        "reason": obstacle.value if obstacle else None,
        "eligible_until": record.eligible_until,
        "group_dismissed": record.group_dismissed,
        "updated_at": work.now,
    }
    if record.role is not None:
        document["role"] = record.role.value
    if record.gone is not None:
        document["gone"] = record.gone.value
    moments = {name: getattr(record, name) for name in _MOMENTS}
    return document | {name: moment for name, moment in moments.items() if moment is not None}


def _record(document: Mapping[str, Any]) -> Eligibility:
    return Eligibility(
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=Role(document["role"]) if "role" in document else None,
        gone=LeaveReason(document["gone"]) if "gone" in document else None,
        group_dismissed=document["group_dismissed"],
        **{name: document.get(name) for name in _MOMENTS},
    )

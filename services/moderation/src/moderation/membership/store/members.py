"""Members in MongoDB: one document for each member of a group, kept for a while after they went."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from huiqun.contracts.channel import LeaveReason, Role
from huiqun.store import Database, Index, ReplaceOne, Session, UpdateOne
from huiqun.work import Work
from moderation.membership.model.roster import Member, Stamp, key_of

MEMBERS = "members"
INDEXES: Mapping[str, Sequence[Index]] = {
    MEMBERS: (
        Index((("group_id", 1), ("member_id", 1))),
        Index((("member_id", 1),)),
        Index((("gone_since", 1),), expires_after=timedelta(days=400)),
    )
}
_STAMPS = ("described", "joined", "left")
_PLAIN = ("display_name", "invited_by", "scene", "agreed_to", "agreed_at", "asked_at", "hinted_at")


async def load(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, Member]:
    """The records of (group, member) pairs by key, in one read; who has none is not among them."""
    keys = [key_of(*pair) for pair in members]
    if not keys:
        return {}
    cursor = work.db[MEMBERS].find({"_id": {"$in": keys}}, session=work.session)
    return {document["_id"]: _member(document) for document in await cursor.to_list(None)}


async def find(database: Database, group_id: str, member_id: str, session: Session | None = None) -> Member | None:
    """One member's record."""
    document = await database[MEMBERS].find_one({"_id": key_of(group_id, member_id)}, session=session)
    return _member(document) if document else None


async def roster(work: Work, group_id: str) -> list[Member]:
    """Everybody who is in a group."""
    cursor = work.db[MEMBERS].find({"group_id": group_id, "present": True}, session=work.session)
    return [_member(document) for document in await cursor.to_list(None)]


async def staff_of(work: Work, group_ids: Sequence[str]) -> dict[str, set[str]]:
    """The staff members who are in each of these groups."""
    query = {"group_id": {"$in": list(group_ids)}, "present": True, "role": Role.STAFF.value}
    found: dict[str, set[str]] = {}
    async for document in work.db[MEMBERS].find(query, {"group_id": 1, "member_id": 1}, session=work.session):
        found.setdefault(document["group_id"], set()).add(document["member_id"])
    return found


async def page(
    database: Database, group_id: str, *, present: bool | None, after: str | None, limit: int
) -> list[Member]:
    """Members of a group by id, after the given one; all, those who are there, or those who went."""
    query: dict[str, Any] = {"group_id": group_id}
    if present is not None:
        query["present"] = present
    if after is not None:
        query["member_id"] = {"$gt": after}
    cursor = database[MEMBERS].find(query).sort("member_id", 1).limit(limit)
    return [_member(document) async for document in cursor]


async def save(work: Work, members: Iterable[Member]) -> None:
    """Write the records back, in one bulk write."""
    operations = [ReplaceOne({"_id": member.key}, _document(member), upsert=True) for member in members]
    if operations:
        await work.db[MEMBERS].bulk_write(operations, ordered=False, session=work.session)


async def note_hints(work: Work, members: Sequence[Member], at: datetime) -> None:
    """Note that these members were told why their messages were taken out."""
    operations = [UpdateOne({"_id": member.key}, {"$set": {"hinted_at": at}}) for member in members]
    if operations:
        await work.db[MEMBERS].bulk_write(operations, ordered=False, session=work.session)


def _document(member: Member) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": member.key,
        "group_id": member.group_id,
        "member_id": member.member_id,
        "role": member.role.value,
        "present": member.is_present,
    }
    for name in _PLAIN:
        value = getattr(member, name)
        if value is not None:
            document[name] = value
    for name in _STAMPS:
        stamp = getattr(member, name)
        if stamp is not None:
            document[name] = {"at": stamp[0], "event": stamp[1]}
    if member.left_reason is not None:
        document["left_reason"] = member.left_reason.value
    if not member.is_present:
        document["gone_since"] = member.left_at
    return document


def _member(document: Mapping[str, Any]) -> Member:
    reason = document.get("left_reason")
    return Member(
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=Role(document["role"]),
        described=_stamp(document.get("described")),
        joined=_stamp(document.get("joined")),
        left=_stamp(document.get("left")),
        left_reason=LeaveReason(reason) if reason else None,
        **{name: document[name] for name in _PLAIN if name in document},
    )


def _stamp(document: Mapping[str, Any] | None) -> Stamp | None:
    return (document["at"], document["event"]) if document else None

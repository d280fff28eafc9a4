"""Eligibility in MongoDB: one read and one bulk write for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.channel.directory.migration import FormerRecords
from huiqun.channel.directory.model import (
    DirectoryGroup,
    DirectoryMember,
    MemberArrival,
    MemberDescription,
    Stamp,
    StampedValue,
    member_key,
)
from huiqun.contracts.channel import LeaveReason, Role
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from survey.eligibility.model import Eligibility

ELIGIBILITY = "eligibility"
_FORMER_GROUPS = "groups"
ELIGIBILITY_INDEXES: Mapping[str, Sequence[Index]] = {
    ELIGIBILITY: (
        Index((("group_id", 1),)),
        Index((("member_id", 1),)),
        # Only of who is gone: an index on what every message changes would cost as much as the message.
        Index((("updated_at", 1),), expires_after=timedelta(days=400), where={"in_group": False}),
    )
}
_MOVED: Final = ("role_at", "moved_at")


async def load_eligibility(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, Eligibility]:
    """The eligibility of (group, member) pairs by key; a new one for who has none."""
    wanted = {member_key(*pair): pair for pair in members}
    if not wanted:
        return {}
    found = await _find(work, {"_id": {"$in": list(wanted)}})
    return {key: found.get(key) or Eligibility(*pair) for key, pair in wanted.items()}


async def find_eligibility(reader: Reader, group_id: str, member_id: str) -> Eligibility | None:
    """The eligibility of one member."""
    document = await reader.collection(ELIGIBILITY).find_one({"_id": member_key(group_id, member_id)})
    return _record(document) if document else None


async def list_group_eligibility(reader: Reader, group_id: str, after: str, limit: int) -> list[Eligibility]:
    """The eligibility of a group's members by member id, after the given one."""
    # The ids of a group are those between "group/" and what follows it, "group0".
    query = {"_id": {"$gt": member_key(group_id, after), "$lt": f"{group_id}0"}}
    return [
        _record(document) async for document in reader.collection(ELIGIBILITY).find(query).sort("_id", 1).limit(limit)
    ]


async def load_groups_eligibility(work: Work, group_ids: Iterable[str]) -> dict[str, Eligibility]:
    """The eligibility of everybody known in these groups, by key."""
    return await _find(work, {"group_id": {"$in": list(group_ids)}})


async def save_eligibility(work: Work, records: Iterable[Eligibility]) -> None:
    """Write the eligibility back."""
    operations = [UpdateOne({"_id": each.key}, {"$set": _fields(work, each)}, upsert=True) for each in records]
    if operations:
        await work.collection(ELIGIBILITY).bulk_write(operations, ordered=False)


async def _find(work: Work, query: Mapping[str, Any]) -> dict[str, Eligibility]:
    cursor = work.collection(ELIGIBILITY).find(query)
    return {document["_id"]: _record(document) async for document in cursor}


def _fields(work: Work, record: Eligibility) -> dict[str, Any]:
    obstacle = record.obstacle(work.now)
    return {
        "group_id": record.group_id,
        "member_id": record.member_id,
        "in_group": record.in_group,
        # Time alone makes an eligible member silent: who asks compares `eligible_until` with the present.
        "reason": obstacle.value if obstacle else None,
        "eligible_until": record.eligible_until,
        "group_dismissed": record.group_dismissed,
        "role": record.role.value if record.role is not None else None,
        "gone": record.gone.value if record.gone is not None else None,
        "wrote_at": record.wrote_at,
        "updated_at": work.now,
    }


def _record(document: Mapping[str, Any]) -> Eligibility:
    role, gone = document.get("role"), document.get("gone")
    return Eligibility(
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=Role(role) if role else None,
        gone=LeaveReason(gone) if gone else None,
        wrote_at=document.get("wrote_at"),
        group_dismissed=document["group_dismissed"],
    )


def _former_member(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    member, gone = DirectoryMember(document["group_id"], document["member_id"]), document.get("gone")
    if "role_at" in document:
        member.described = StampedValue(MemberDescription(Role(document["role"])), Stamp(document["role_at"], ""))
    if "moved_at" in document and gone:
        member.left = StampedValue(LeaveReason(gone), Stamp(document["moved_at"], ""))
    elif "moved_at" in document:
        member.arrived = StampedValue(MemberArrival(), Stamp(document["moved_at"], ""))
    return [], [member]


def _former_group(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    return [DirectoryGroup(document["_id"], dismissed_at=document["updated_at"])], []


#: What stood here before there was a directory.
FORMER_RECORDS: Final = (
    FormerRecords(
        "1-members-into-the-directory",
        ELIGIBILITY,
        {"$or": [{name: {"$exists": True}} for name in _MOVED]},
        _former_member,
        lambda _: {"$unset": dict.fromkeys(_MOVED, "")},
    ),
    FormerRecords(
        "2-groups-into-the-directory",
        _FORMER_GROUPS,
        {"dismissed": True},
        _former_group,
        lambda _: {"$unset": {"dismissed": ""}},
    ),
)

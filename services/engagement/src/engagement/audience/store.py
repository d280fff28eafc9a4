"""Activity in MongoDB: one read and one bulk write for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from engagement.audience.model import Activity
from huiqun.channel.directory.migration import FormerRecords
from huiqun.channel.directory.model import (
    DirectoryGroup,
    DirectoryMember,
    GroupProfile,
    MemberArrival,
    MemberDescription,
    Stamp,
    StampedValue,
    member_key,
)
from huiqun.channel.directory.store import DEPARTED_MEMBER_RETENTION
from huiqun.contracts.channel import LeaveReason, Role
from huiqun.contracts.moderation import Verdict
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work

ACTIVITIES = "activity"
_FORMER_GROUPS = "groups"
AUDIENCE_INDEXES: Mapping[str, Sequence[Index]] = {
    ACTIVITIES: (
        Index((("member_id", 1),)),
        Index((("gone_since", 1),), expires_after=DEPARTED_MEMBER_RETENTION, where={"gone_since": {"$type": "date"}}),
    )
}
_MOVED: Final = ("role", "role_at", "joined_at", "left_at")


async def load_activities(work: Work, keys: Iterable[str], members: Iterable[tuple[str, str]]) -> dict[str, Activity]:
    """The activity under these keys, as far as there is any, and of (group, member) pairs, new if there is none."""
    pairs = {member_key(*pair): pair for pair in members}
    wanted = [*{*keys, *pairs}]
    found = await _find(work, {"_id": {"$in": wanted}})
    return {key: Activity(*pair) for key, pair in pairs.items()} | found


async def find_activities(reader: Reader, keys: Sequence[str]) -> dict[str, Activity]:
    """The activity under these keys, as far as there is any."""
    return await _find(reader, {"_id": {"$in": list(keys)}})


async def save_activities(work: Work, activities: Iterable[Activity]) -> None:
    """Write the activity back."""
    operations = [
        UpdateOne({"_id": activity.key}, {"$set": {**_fields(activity), "updated_at": work.now}}, upsert=True)
        for activity in activities
    ]
    if operations:
        await work.collection(ACTIVITIES).bulk_write(operations, ordered=False)


async def _find(reader: Reader, query: Mapping[str, Any]) -> dict[str, Activity]:
    cursor = reader.collection(ACTIVITIES).find(query)
    return {document["_id"]: _activity(document) async for document in cursor}


def _fields(activity: Activity) -> dict[str, Any]:
    return {
        "group_id": activity.group_id,
        "member_id": activity.member_id,
        "first_seen": activity.first_seen,
        "last_seen": activity.last_seen,
        "gone_since": activity.gone_since,
        "days": {day.isoformat(): activity.days[day] for day in sorted(activity.days)},
        "verdicts": {verdict.value: activity.verdicts[verdict] for verdict in sorted(activity.verdicts)},
    }


def _activity(document: Mapping[str, Any]) -> Activity:
    return Activity(
        group_id=document["group_id"],
        member_id=document["member_id"],
        first_seen=document.get("first_seen"),
        last_seen=document.get("last_seen"),
        gone_since=document.get("gone_since"),
        days={date.fromisoformat(day): number for day, number in document["days"].items()},
        verdicts={Verdict(verdict): number for verdict, number in document["verdicts"].items()},
    )


def _former_member(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    member = DirectoryMember(document["group_id"], document["member_id"])
    if "role" in document:
        member.described = StampedValue(MemberDescription(Role(document["role"])), Stamp(document["role_at"], ""))
    if "joined_at" in document:
        member.arrived = StampedValue(MemberArrival(), Stamp(document["joined_at"], ""))
    if "left_at" in document:
        member.left = StampedValue(LeaveReason.LEFT, Stamp(document["left_at"], ""))
    return [], [member]


def _without_membership(document: Mapping[str, Any]) -> Mapping[str, Any]:
    # Where it has been written since, the directory has said whether they are gone.
    is_gone = not document["present"] and "gone_since" not in document
    gone = {"$set": {"gone_since": document["left_at"]}} if is_gone else {}
    return {"$unset": dict.fromkeys(_MOVED, ""), **gone}


def _former_group(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    described = Stamp(document["updated_at"], "")
    return [DirectoryGroup(document["_id"], GroupProfile(timezone=document["timezone"]), described)], []


#: What stood here before there was a directory. `present` is left to the release before, which cannot read without.
FORMER_RECORDS: Final = (
    FormerRecords(
        "1-members-into-the-directory",
        ACTIVITIES,
        {"$or": [{name: {"$exists": True}} for name in _MOVED]},
        _former_member,
        _without_membership,
        ("updated_at_1",),
    ),
    FormerRecords(
        "2-groups-into-the-directory",
        _FORMER_GROUPS,
        {"timezone": {"$exists": True}},
        _former_group,
        lambda _: {"$unset": {"timezone": ""}},
    ),
)

"""Activity and groups in MongoDB: one read and one bulk write for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engagement.audience.model import DEFAULT_TIMEZONE, Activity, key_of
from huiqun.contracts.channel import Group, Role
from huiqun.contracts.moderation import Verdict
from huiqun.store import Database, Index, ReplaceOne, UpdateOne
from huiqun.work import Work

ACTIVITY = "activity"
GROUPS = "groups"
INDEXES: Mapping[str, Sequence[Index]] = {
    ACTIVITY: (
        Index((("member_id", 1),)),
        # Only of who has left: an index on what every message changes would cost as much as the message.
        Index((("updated_at", 1),), expires_after=timedelta(days=400), where={"present": False}),
    ),
    GROUPS: (),
}
_MOMENTS = ("role_at", "joined_at", "left_at", "first_seen", "last_seen")


async def load(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, Activity]:
    """The activity of (group, member) pairs by key; a new one for who has none."""
    wanted = {key_of(*pair): pair for pair in members}
    cursor = work.db[ACTIVITY].find({"_id": {"$in": list(wanted)}}, session=work.session)
    found = {document["_id"]: _activity(document) async for document in cursor}
    return {key: found.get(key) or Activity(*pair) for key, pair in wanted.items()}


async def read(database: Database, group_id: str, member_id: str) -> Activity | None:
    """The activity of one member."""
    document = await database[ACTIVITY].find_one({"_id": key_of(group_id, member_id)})
    return _activity(document) if document else None


async def of_group(database: Database, group_id: str, after: str, limit: int) -> list[Activity]:
    """The activity of a group's members by member id, after the given one."""
    # The ids of a group are those between "group/" and what follows it, "group0".
    query = {"_id": {"$gt": key_of(group_id, after), "$lt": f"{group_id}0"}}
    return [_activity(document) async for document in database[ACTIVITY].find(query).sort("_id", 1).limit(limit)]


async def save(work: Work, activities: Iterable[Activity]) -> None:
    """Write the activity back."""
    operations = [
        ReplaceOne({"_id": activity.key}, {**_document(activity), "updated_at": work.now}, upsert=True)
        for activity in activities
    ]
    if operations:
        await work.db[ACTIVITY].bulk_write(operations, ordered=False, session=work.session)


async def save_groups(work: Work, groups: Sequence[Group]) -> None:
    """Keep the time zones of groups."""
    operations = [
        UpdateOne({"_id": group.group_id}, {"$set": {"timezone": group.timezone, "updated_at": work.now}}, upsert=True)
        for group in groups
    ]
    if operations:
        await work.db[GROUPS].bulk_write(operations, session=work.session)


async def zones(work: Work, group_ids: Iterable[str]) -> dict[str, ZoneInfo]:
    """The time zone of each group; the default for one that nobody has told us of."""
    wanted = set(group_ids)
    cursor = work.db[GROUPS].find({"_id": {"$in": list(wanted)}}, {"timezone": 1}, session=work.session)
    names = {document["_id"]: document["timezone"] async for document in cursor}
    return {group_id: ZoneInfo(names.get(group_id, DEFAULT_TIMEZONE)) for group_id in wanted}


def _document(activity: Activity) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": activity.key,
        "group_id": activity.group_id,
        "member_id": activity.member_id,
        "present": activity.present,
        "days": {day.isoformat(): activity.days[day] for day in sorted(activity.days)},
        "verdicts": {verdict.value: activity.verdicts[verdict] for verdict in sorted(activity.verdicts)},
    }
    if activity.role is not None:
        document["role"] = activity.role.value
    moments = {name: getattr(activity, name) for name in _MOMENTS}
    return document | {name: moment for name, moment in moments.items() if moment is not None}


def _activity(document: Mapping[str, Any]) -> Activity:
    return Activity(
        group_id=document["group_id"],
        member_id=document["member_id"],
        role=Role(document["role"]) if "role" in document else None,
        present=document["present"],
        days={date.fromisoformat(day): number for day, number in document["days"].items()},
        verdicts={Verdict(verdict): number for verdict, number in document["verdicts"].items()},
        **{name: document.get(name) for name in _MOMENTS},
    )

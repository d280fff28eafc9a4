"""The directory in MongoDB: a document for each group and one for each member of it, in one collection.

So a batch reads all that it needs at once, and writes it at once. A member's id begins with the group's, which keeps
the members of a group together.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.channel.directory.documents import GROUP, MEMBER, group_fields, group_from, member_document, member_from
from huiqun.channel.directory.fold import DirectorySnapshot
from huiqun.channel.directory.model import DirectoryGroup, DirectoryMember, directory_keys, member_key
from huiqun.contracts.channel import Role
from huiqun.contracts.fields import Account
from huiqun.store import Index, Reader, ReplaceOne, UpdateOne
from huiqun.work import Work

DIRECTORY: Final = "directory"
#: How long it is known that somebody was in a group.
DEPARTED_MEMBER_RETENTION: Final = timedelta(days=400)
DIRECTORY_INDEXES: Mapping[str, Sequence[Index]] = {
    DIRECTORY: (
        Index((("record", 1), ("_id", 1)), where={"record": GROUP}),
        Index((("member_id", 1),)),
        Index((("gone_since", 1),), expires_after=DEPARTED_MEMBER_RETENTION, where={"gone_since": {"$type": "date"}}),
    )
}


async def read_directory(
    work: Work, group_ids: Iterable[str] = (), members: Iterable[tuple[str, str]] = ()
) -> DirectorySnapshot:
    """Read groups, (group id, member id) pairs and the groups that these are in, all at once."""
    keys = directory_keys(group_ids, members)
    if not keys:
        return DirectorySnapshot({}, {})
    cursor = work.collection(DIRECTORY).find({"_id": {"$in": keys}}, batch_size=len(keys) + 1)
    documents = await cursor.to_list(None)
    return DirectorySnapshot(
        {each["_id"]: group_from(each) for each in documents if each["record"] == GROUP},
        {each["_id"]: member_from(each) for each in documents if each["record"] == MEMBER},
    )


async def find_group(reader: Reader, group_id: str) -> DirectoryGroup | None:
    """Find a group; None if nothing is known of it."""
    document = await reader.collection(DIRECTORY).find_one({"_id": group_id})
    return group_from(document) if document else None


async def find_member(reader: Reader, group_id: str, member_id: str) -> DirectoryMember | None:
    """Find a member of a group, or who was one; None if nobody was ever heard of there."""
    document = await reader.collection(DIRECTORY).find_one({"_id": member_key(group_id, member_id)})
    return member_from(document) if document else None


async def list_members(
    reader: Reader, group_id: str, *, present: bool | None = None, after: str | None = None, limit: int
) -> list[DirectoryMember]:
    """List the members of a group by id, after the given one: all, those who are there, or those who went."""
    query: dict[str, Any] = {"_id": _within(group_id, after)}
    if present is not None:
        query["present"] = present
    return [member_from(each) async for each in reader.collection(DIRECTORY).find(query).sort("_id", 1).limit(limit)]


async def list_present_members(reader: Reader, group_id: str) -> list[DirectoryMember]:
    """List everybody who is in a group, by id."""
    query = {"_id": _within(group_id), "present": True}
    return [member_from(each) async for each in reader.collection(DIRECTORY).find(query).sort("_id", 1)]


async def list_staff_members(work: Work, group_ids: Collection[str]) -> dict[str, set[str]]:
    """List the staff members who are in each of these groups; none is not among them."""
    query = {"$or": [{"_id": _within(group_id)} for group_id in group_ids], "present": True, "role": Role.STAFF.value}
    found: dict[str, set[str]] = {}
    async for each in work.collection(DIRECTORY).find(query, {"group_id": 1, "member_id": 1}):
        found.setdefault(each["group_id"], set()).add(each["member_id"])
    return found


async def list_account_memberships(reader: Reader, accounts: Collection[tuple[str, str]]) -> list[DirectoryMember]:
    """List what is known of (channel, member id) pairs in all groups that they are or were in.

    A membership of which nobody has said what channel it is of is counted in.
    """
    wanted = set(accounts)
    query = {"member_id": {"$in": sorted({member_id for _, member_id in wanted})}}
    found = [member_from(each) async for each in reader.collection(DIRECTORY).find(query).sort("_id", 1)]
    return [member for member in found if member.channel is None or (member.channel, member.member_id) in wanted]


async def list_unerased_memberships(
    reader: Reader, accounts: Collection[Account], at: datetime, limit: int
) -> list[DirectoryMember]:
    """List some of the memberships of these accounts that have not been erased as they were at `at`.

    A membership of which nobody has said what channel it is of is counted in.
    """
    if not accounts:
        return []
    theirs = [{"member_id": each.member_id, "channel": {"$in": [each.channel, None]}} for each in accounts]
    query = {"$or": theirs, "erased_at": {"$not": {"$gte": at}}}
    return [member_from(each) async for each in reader.collection(DIRECTORY).find(query).limit(limit)]


async def list_namesake_groups(reader: Reader, accounts: Collection[Account]) -> dict[str, tuple[str, ...]]:
    """List the groups, by member id, in which somebody of another channel goes by an id of these accounts."""
    channels: dict[str, list[str | None]] = {}
    for account in accounts:
        channels.setdefault(account.member_id, [None]).append(account.channel)
    found: dict[str, tuple[str, ...]] = {}
    for member_id, own in channels.items():
        query = {"member_id": member_id, "channel": {"$nin": own}}
        cursor = reader.collection(DIRECTORY).find(query, {"group_id": 1})
        if groups := tuple([each["group_id"] async for each in cursor]):
            found[member_id] = groups
    return found


async def delete_members(work: Work, keys: Collection[str]) -> None:
    """Forget the members under these keys."""
    if keys:
        await work.collection(DIRECTORY).delete_many({"_id": {"$in": list(keys)}})


async def list_members_missing_from_listing(work: Work, listed: Iterable[DirectoryGroup]) -> list[DirectoryMember]:
    """List who is in these groups and was last heard of before their latest whole listing was taken."""
    found: list[DirectoryMember] = []
    for group in listed:
        query = {"_id": _within(group.group_id), "present": True, "heard_at": {"$lt": group.listed_at}}
        found += [member_from(each) async for each in work.collection(DIRECTORY).find(query)]
    return found


async def save_directory(
    work: Work, groups: Iterable[DirectoryGroup], members: Iterable[DirectoryMember], touched: Iterable[str] = ()
) -> None:
    """Write groups and members back, whose names and ids are encrypted by now, in one bulk write.

    `touched` are groups that are not changed, and that nobody else may change at the same time.
    """
    operations: list[ReplaceOne[dict[str, Any]] | UpdateOne] = [
        UpdateOne(
            {"_id": group.group_id}, {"$set": group_fields(group, work.now), "$inc": {"revision": 1}}, upsert=True
        )
        for group in groups
    ]
    for group_id in touched:
        change = {"$set": {"record": GROUP}, "$inc": {"revision": 1}}
        operations.append(UpdateOne({"_id": group_id}, change, upsert=True))
    operations += [ReplaceOne({"_id": each.key}, member_document(each, work.now), upsert=True) for each in members]
    if operations:
        await work.collection(DIRECTORY).bulk_write(operations, ordered=False)


def _within(group_id: str, after: str | None = None) -> dict[str, str]:
    """The ids of a group's members: those between "group/" and what follows it, "group0"."""
    return {"$gt": member_key(group_id, after or ""), "$lt": f"{group_id}0"}

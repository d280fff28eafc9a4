"""Groups in MongoDB: which policy each has, its mode and what it changes in the policy, beside the directory."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from random import randrange
from typing import Any, Final
from zoneinfo import ZoneInfo

from huiqun.channel.directory.documents import GROUP, group_from
from huiqun.channel.directory.migration import FormerRecords
from huiqun.channel.directory.model import DirectoryGroup, DirectoryMember, GroupProfile, Stamp
from huiqun.channel.directory.store import DIRECTORY
from huiqun.contracts.channel import Capabilities, Purpose
from huiqun.contracts.fields import DEFAULT_CHANNEL
from huiqun.contracts.moderation import GroupMode
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.groups.model import GroupRecord, GroupRevisions, GroupSettings, ModeSpan, OwnRules

GROUPS: Final = "groups"
REVISIONS: Final = "group_revisions"
GROUP_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    GROUPS: (Index((("changed.counter", 1), ("changed.revision", 1))), Index((("policy_id", 1),))),
    REVISIONS: (),
}
_WITH_DIRECTORY: Final[dict[str, Any]] = {
    "$lookup": {"from": DIRECTORY, "localField": "_id", "foreignField": "_id", "as": "directory"}
}
_MOVED: Final = ("name", "owner", "purpose", "timezone", "tags", "capabilities", "dismissed_at")
# Two transactions that raise the same counter conflict, and one of them runs again. The more counters, the fewer do.
_COUNTERS = 32


async def list_changed_groups(
    reader: Reader, seen: GroupRevisions | None
) -> tuple[dict[str, GroupSettings], GroupRevisions]:
    """List the groups that changed after the revisions `seen`, or all where that is None, and the revisions now.

    A counter and the groups that bear its revisions are written in one transaction, and the next one that raises it
    sees that: whoever has seen a revision has seen all that came before it, whatever clocks say.
    """
    counters = await reader.collection(REVISIONS).find().to_list(None)
    now = {counter["_id"]: int(counter["revision"]) for counter in counters}
    if seen is None or any(now.get(number, 0) < revision for number, revision in seen.items()):
        # Nothing is known yet, or the store was restored to an earlier time.
        return {document["_id"]: _read_settings(document) async for document in _find_all(reader)}, now
    risen = {number: seen.get(number, 0) for number, revision in now.items() if revision > seen.get(number, 0)}
    if not risen:
        return {}, now
    after = [{"changed.counter": number, "changed.revision": {"$gt": known}} for number, known in risen.items()]
    return {document["_id"]: _read_settings(document) async for document in _find(reader, {"$or": after})}, now


async def mark_groups_changed(work: Work, group_ids: Iterable[str]) -> None:
    """Have every process look at what the directory says of groups now."""
    mark = await _mark(work)
    operations = [UpdateOne({"_id": group_id}, {"$set": mark}, upsert=True) for group_id in group_ids]
    await work.collection(GROUPS).bulk_write(operations)


async def set_group_policy(work: Work, group_id: str, policy_id: str | None) -> None:
    """Give a group its policy; None gives it the default."""
    change = {"$set": {"policy_id": policy_id, **await _mark(work)}, "$inc": {"revision": 1}}
    await work.collection(GROUPS).update_one({"_id": group_id}, change, upsert=True)


async def set_group_modes(work: Work, modes: Mapping[str, ModeSpan | None]) -> None:
    """Put groups in a mode, or back to the normal one with None; in force everywhere within two seconds."""
    if not modes:
        return
    mark = await _mark(work)
    operations = [
        UpdateOne({"_id": group_id}, {"$set": {**_mode_fields(mode), **mark}}, upsert=True)
        for group_id, mode in modes.items()
    ]
    await work.collection(GROUPS).bulk_write(operations)


async def set_own_rules(work: Work, own: OwnRules) -> None:
    """Let a group change these values in its policy; nothing else of what it said before stays."""
    change = {"$set": {"own_rules": own.changes, "own_revision": own.revision, **await _mark(work)}}
    await work.collection(GROUPS).update_one({"_id": own.group_id}, change, upsert=True)


async def list_groups_ahead_of(work: Work, heads: str, limit: int) -> list[str]:
    """List groups whose own rules are not those that `heads`, the collection of their versions, has as active."""
    active = {"$ifNull": [{"$first": "$head.active"}, 0]}
    pipeline: list[dict[str, Any]] = [
        {"$match": {"own_revision": {"$gt": 0}}},
        {"$lookup": {"from": heads, "localField": "_id", "foreignField": "_id", "as": "head"}},
        {"$match": {"$expr": {"$ne": [active, "$own_revision"]}}},
        {"$limit": limit},
        {"$project": {"_id": 1}},
    ]
    return [each["_id"] async for each in await work.collection(GROUPS).aggregate(pipeline)]


async def list_groups_with_own_rules(work: Work) -> dict[str, GroupSettings]:
    """Read the settings of the groups that change something in their policies."""
    query = {"own_rules": {"$exists": True, "$ne": {}}}
    return {document["_id"]: _read_settings(document) async for document in _find(work, query)}


async def find_group(reader: Reader, group_id: str) -> GroupRecord | None:
    """Find what is known of a group."""
    found = [_read_record(document) async for document in _find(reader, {"_id": group_id})]
    return found[0] if found else None


async def list_group_settings(reader: Reader, group_ids: Collection[str]) -> dict[str, GroupSettings]:
    """Read the settings of these groups, as far as they are known."""
    query = {"_id": {"$in": list(group_ids)}}
    return {document["_id"]: _read_settings(document) async for document in _find(reader, query)}


async def list_groups(reader: Reader, after: str | None, limit: int) -> list[GroupRecord]:
    """List the groups by id, after the given one."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_read_record(document) async for document in _find(reader, query, limit=limit)]


async def _find(reader: Reader, query: Mapping[str, Any], limit: int | None = None) -> AsyncIterator[Mapping[str, Any]]:
    """The documents, by id where they are limited, each with what the directory has of the group."""
    page: list[dict[str, Any]] = [{"$sort": {"_id": 1}}, {"$limit": limit}] if limit is not None else []
    pipeline = [{"$match": query}, *page, _WITH_DIRECTORY]
    async for document in await reader.collection(GROUPS).aggregate(pipeline):
        yield document


async def _find_all(reader: Reader) -> AsyncIterator[Mapping[str, Any]]:
    """All documents, as `_find` gives them; for a hundred thousand groups in a third of the time."""
    known = {each["_id"]: each async for each in reader.collection(DIRECTORY).find({"record": GROUP})}
    async for document in reader.collection(GROUPS).find():
        group_id = document["_id"]
        yield {**document, "directory": [known[group_id]] if group_id in known else []}


async def _mark(work: Work) -> dict[str, Any]:
    """Fields that tell every process of the change: a counter, and the revision that this transaction raises it to."""
    number = randrange(_COUNTERS)  # noqa: S311 (nothing secret)
    counter: Any = await work.collection(REVISIONS).find_one_and_update(
        {"_id": number}, {"$inc": {"revision": 1}}, upsert=True
    )
    return {"changed": {"counter": number, "revision": counter["revision"]}, "updated_at": work.now}


def _mode_fields(mode: ModeSpan | None) -> dict[str, Any]:
    if mode is None:
        return dict.fromkeys(("mode", "mode_since", "mode_until", "mode_staff"))
    return {
        "mode": mode.mode.value,
        "mode_since": mode.since,
        "mode_until": mode.until,
        "mode_staff": sorted(mode.staff),
    }


def _read_mode(document: Mapping[str, Any]) -> ModeSpan | None:
    if document.get("mode") is None:
        return None
    staff = frozenset(document["mode_staff"])
    return ModeSpan(GroupMode(document["mode"]), document["mode_since"], document["mode_until"], staff)


def _read_directory_group(document: Mapping[str, Any]) -> DirectoryGroup:
    """Read what the directory says of a group; what stands here as long as that has not been carried over."""
    group = group_from(document["directory"][0]) if document["directory"] else DirectoryGroup(document["_id"])
    if "timezone" not in document and "dismissed_at" not in document:
        return group
    former = _read_former_group(document)
    if former.described is not None and not group.is_known:
        group.profile, group.described = former.profile, former.described
    if former.dismissed_at is not None:
        group.dismiss(former.dismissed_at)
    return group


def _read_settings(document: Mapping[str, Any]) -> GroupSettings:
    group = _read_directory_group(document)
    return GroupSettings(
        policy_id=document.get("policy_id"),
        channel=group.profile.channel or DEFAULT_CHANNEL,
        kind=group.profile.kind,
        timezone=ZoneInfo(group.profile.timezone),
        owner=group.profile.owner,
        capabilities=group.profile.capabilities,
        dismissed=group.dismissed_at is not None,
        mode=_read_mode(document),
        own=_read_own_rules(document),
    )


def _read_own_rules(document: Mapping[str, Any]) -> OwnRules | None:
    changes = document.get("own_rules")
    return OwnRules(document["_id"], document["own_revision"], changes) if changes else None


def _read_record(document: Mapping[str, Any]) -> GroupRecord:
    group = _read_directory_group(document)
    return GroupRecord(
        document["_id"],
        _read_settings(document),
        known=group.is_known,
        name=group.profile.name,
        purpose=group.profile.purpose.value if group.is_known else "",
        tags=group.profile.tags,
        dismissed_at=group.dismissed_at,
        revision=document.get("revision", 0),
        own_revision=document.get("own_revision", 0),
    )


def _read_former_group(document: Mapping[str, Any]) -> DirectoryGroup:
    """Read what a release without a directory kept here of a group."""
    group = DirectoryGroup(document["_id"], dismissed_at=document.get("dismissed_at"))
    if "timezone" in document:
        group.described = Stamp(document["updated_at"], "")
        group.profile = GroupProfile(
            name=document["name"],
            owner=document["owner"],
            purpose=Purpose(document["purpose"]),
            timezone=document["timezone"],
            tags=tuple(document["tags"]),
            capabilities=Capabilities(**document["capabilities"]),
        )
    return group


def _read_former(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    return [_read_former_group(document)], []


FORMER_GROUPS: Final = FormerRecords(
    "3-groups-into-the-directory",
    GROUPS,
    {"$or": [{"timezone": {"$exists": True}}, {"dismissed_at": {"$exists": True}}]},
    _read_former,
    lambda _: {"$unset": dict.fromkeys(_MOVED, "")},
)

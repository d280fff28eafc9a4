"""Groups in MongoDB: what the channel tells of them, which policy each has, and what it changes in it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import randrange
from typing import Any
from zoneinfo import ZoneInfo

from huiqun.contracts.channel import Capabilities, Group
from huiqun.contracts.moderation import GroupMode
from huiqun.runtime.placeholders import is_placeholder
from huiqun.store import Database, Index, Session, UpdateOne
from huiqun.work import Work
from moderation.policies.model import DEFAULT_TIMEZONE, Changes, GroupSettings, ModeSpan, OwnRules

GROUPS = "groups"
REVISIONS = "group_revisions"
INDEXES: Mapping[str, Sequence[Index]] = {
    GROUPS: (Index((("changed.counter", 1), ("changed.revision", 1))), Index((("policy_id", 1),))),
    REVISIONS: (),
}
# Two transactions that raise the same counter conflict, and one of them runs again. The more counters, the fewer do.
_COUNTERS = 32

#: The revision of each counter, by its number.
Revisions = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group as people see it; `revision` rises when its policy is assigned, 0 if that was never done.

    `own_revision` does so when its own rules change. `known` is false for a group that the channel has not told us of.
    """

    id: str
    settings: GroupSettings
    known: bool = False
    name: str = ""
    purpose: str = ""
    tags: tuple[str, ...] = ()
    dismissed_at: datetime | None = None
    revision: int = 0
    own_revision: int = 0


async def groups_since(database: Database, seen: Revisions | None) -> tuple[dict[str, GroupSettings], Revisions]:
    """The groups that changed after the revisions `seen`, or all where that is None, and the revisions now.

    A counter and the groups that bear its revisions are written in one transaction, and the next one that raises it
    sees that: whoever has seen a revision has seen all that came before it, whatever clocks say.
    """
    counters = await database[REVISIONS].find().to_list(None)
    now = {counter["_id"]: int(counter["revision"]) for counter in counters}
    if seen is None or any(now.get(number, 0) < revision for number, revision in seen.items()):
        query: dict[str, Any] = {}  # nothing is known yet, or the store was restored to an earlier time
    else:
        risen = {number: seen.get(number, 0) for number, revision in now.items() if revision > seen.get(number, 0)}
        if not risen:
            return {}, now
        after = ({"changed.counter": number, "changed.revision": {"$gt": known}} for number, known in risen.items())
        query = {"$or": list(after)}
    return {document["_id"]: _settings(document) async for document in database[GROUPS].find(query)}, now


async def save_groups(work: Work, groups: Sequence[Group]) -> None:
    """Keep what the channel says of groups; the policy assigned to them stays."""
    if not groups:
        return
    mark = await _mark(work)
    operations = [UpdateOne({"_id": g.group_id}, {"$set": {**_group_fields(g), **mark}}, upsert=True) for g in groups]
    await work.db[GROUPS].bulk_write(operations, session=work.session)


async def dismiss_groups(work: Work, group_ids: Sequence[str]) -> None:
    """Note that groups are no more."""
    change = {"$set": {"dismissed_at": work.now, **await _mark(work)}}
    await work.db[GROUPS].update_many({"_id": {"$in": list(group_ids)}}, change, session=work.session)


async def assign(work: Work, group_id: str, policy_id: str | None) -> None:
    """Give a group its policy; None gives it the default."""
    change = {"$set": {"policy_id": policy_id, **await _mark(work)}, "$inc": {"revision": 1}}
    await work.db[GROUPS].update_one({"_id": group_id}, change, upsert=True, session=work.session)


async def set_modes(work: Work, modes: Mapping[str, ModeSpan | None]) -> None:
    """Put groups in a mode, or back to the normal one with None; in force everywhere within two seconds."""
    if not modes:
        return
    mark = await _mark(work)
    operations = [
        UpdateOne({"_id": group_id}, {"$set": {**_mode_fields(mode), **mark}}, upsert=True)
        for group_id, mode in modes.items()
    ]
    await work.db[GROUPS].bulk_write(operations, session=work.session)


async def set_own_rules(work: Work, group_id: str, changes: Changes) -> None:
    """Let a group change these values in its policy; nothing else of what it said before stays."""
    change = {"$set": {"own_rules": changes, **await _mark(work)}, "$inc": {"own_revision": 1}}
    await work.db[GROUPS].update_one({"_id": group_id}, change, upsert=True, session=work.session)


async def groups_with_own_rules(work: Work) -> dict[str, GroupSettings]:
    """The settings of the groups that change something in their policies."""
    cursor = work.db[GROUPS].find({"own_rules": {"$exists": True, "$ne": {}}}, session=work.session)
    return {document["_id"]: _settings(document) for document in await cursor.to_list(None)}


async def group(database: Database, group_id: str, session: Session | None = None) -> GroupRecord | None:
    """What is known of a group."""
    document = await database[GROUPS].find_one({"_id": group_id}, session=session)
    return _record(document) if document else None


async def groups_of(work: Work, group_ids: Collection[str]) -> dict[str, GroupSettings]:
    """The settings of these groups, as far as they are known."""
    cursor = work.db[GROUPS].find({"_id": {"$in": list(group_ids)}}, session=work.session)
    return {document["_id"]: _settings(document) for document in await cursor.to_list(None)}


async def groups(database: Database, after: str | None, limit: int) -> list[GroupRecord]:
    """The groups by id, after the given one."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_record(document) async for document in database[GROUPS].find(query).sort("_id", 1).limit(limit)]


async def _mark(work: Work) -> dict[str, Any]:
    """Fields that tell every process of the change: a counter, and the revision that this transaction raises it to."""
    number = randrange(_COUNTERS)  # noqa: S311 (nothing secret)
    counter: Any = await work.db[REVISIONS].find_one_and_update(
        {"_id": number}, {"$inc": {"revision": 1}}, upsert=True, return_document=True, session=work.session
    )
    return {"changed": {"counter": number, "revision": counter["revision"]}, "updated_at": work.now}


def _group_fields(known: Group) -> dict[str, Any]:
    return {
        "name": known.name,
        "owner": known.owner if known.owner is not None and not is_placeholder(known.owner) else None,
        "purpose": known.purpose.value,
        "timezone": known.timezone,
        "tags": list(known.tags),
        "capabilities": known.capabilities.model_dump(mode="json"),
    }


def _mode_fields(mode: ModeSpan | None) -> dict[str, Any]:
    if mode is None:
        return dict.fromkeys(("mode", "mode_since", "mode_until", "mode_staff"))
    return {
        "mode": mode.mode.value,
        "mode_since": mode.since,
        "mode_until": mode.until,
        "mode_staff": sorted(mode.staff),
    }


def _mode(document: Mapping[str, Any]) -> ModeSpan | None:
    if document.get("mode") is None:
        return None
    staff = frozenset(document["mode_staff"])
    return ModeSpan(GroupMode(document["mode"]), document["mode_since"], document["mode_until"], staff)


def _settings(document: Mapping[str, Any]) -> GroupSettings:
    return GroupSettings(
        policy_id=document.get("policy_id"),
        timezone=ZoneInfo(document.get("timezone") or DEFAULT_TIMEZONE),
        owner=document.get("owner"),
        capabilities=Capabilities(**document.get("capabilities", {})),
        dismissed=document.get("dismissed_at") is not None,
        mode=_mode(document),
        own=_own_rules(document),
    )


def _own_rules(document: Mapping[str, Any]) -> OwnRules | None:
    changes = document.get("own_rules")
    return OwnRules(document["_id"], document["own_revision"], changes) if changes else None


def _record(document: Mapping[str, Any]) -> GroupRecord:
    return GroupRecord(
        document["_id"],
        _settings(document),
        known="timezone" in document,
        name=document.get("name", ""),
        purpose=document.get("purpose", ""),
        tags=tuple(document.get("tags", ())),
        dismissed_at=document.get("dismissed_at"),
        revision=document.get("revision", 0),
        own_revision=document.get("own_revision", 0),
    )

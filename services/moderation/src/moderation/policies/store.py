"""Policies and groups in MongoDB. Versions are never changed; a head says which one is active."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from huiqun.contracts.channel import Capabilities, Group
from huiqun.contracts.moderation import GroupMode
from huiqun.store import Database, Index, Session, UpdateOne
from huiqun.stream import Work
from moderation.policies.model import DEFAULT_TIMEZONE, GroupSettings, ModeSpan, Policy, Rules

VERSIONS = "policy_versions"
HEADS = "policies"
GROUPS = "groups"
STAMPS = "stamps"
INDEXES: Mapping[str, Sequence[Index]] = {
    VERSIONS: (Index((("policy_id", 1), ("version", -1)), unique=True),),
    HEADS: (),
    GROUPS: (Index((("updated_at", 1),)), Index((("policy_id", 1),))),
    STAMPS: (),
}
BEGINNING = datetime(2011, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    """A policy: its latest version and the one in force, if any; `revision` rises with every change."""

    id: str
    latest: int
    active: int | None
    revision: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a policy, with who wrote it and why."""

    policy_id: str
    version: int
    rules: Rules
    note: str
    created_by: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group as people see it; `revision` rises when its policy is assigned, 0 if that was never done.

    `known` is false for a group that the channel has not told us of.
    """

    id: str
    settings: GroupSettings
    known: bool = False
    name: str = ""
    purpose: str = ""
    tags: tuple[str, ...] = ()
    dismissed_at: datetime | None = None
    revision: int = 0


async def revision(database: Database) -> int:
    """A number that rises whenever a policy is activated."""
    stamp = await database[STAMPS].find_one({"_id": "policies"})
    return int(stamp["revision"]) if stamp else 0


async def active(database: Database) -> dict[str, Policy]:
    """The policies in force, by id."""
    heads = {head["_id"]: head["active"] async for head in database[HEADS].find({"active": {"$ne": None}})}
    if not heads:
        return {}
    keys = [f"{policy_id}@{version}" for policy_id, version in heads.items()]
    cursor = database[VERSIONS].find({"_id": {"$in": keys}})
    return {
        document["policy_id"]: Policy(document["policy_id"], document["version"], Rules(**document["rules"]))
        async for document in cursor
    }


async def groups_since(database: Database, moment: datetime) -> tuple[dict[str, GroupSettings], datetime]:
    """The groups that changed since `moment`, and when the last of them did."""
    found: dict[str, GroupSettings] = {}
    latest = moment
    async for document in database[GROUPS].find({"updated_at": {"$gte": moment}}):
        found[document["_id"]] = _settings(document)
        latest = max(latest, document["updated_at"])
    return found, latest


async def active_policy(database: Database, policy_id: str, session: Session | None = None) -> Policy | None:
    """The version of a policy that is in force."""
    found = await head(database, policy_id, session)
    if found is None or found.active is None:
        return None
    document = await database[VERSIONS].find_one({"_id": f"{policy_id}@{found.active}"}, session=session)
    return Policy(policy_id, found.active, Rules(**document["rules"])) if document else None


async def head(database: Database, policy_id: str, session: Session | None = None) -> Head | None:
    """The policy of this id."""
    document = await database[HEADS].find_one({"_id": policy_id}, session=session)
    return _head(document) if document else None


async def heads(database: Database, after: str | None, limit: int) -> list[Head]:
    """The policies by id, after the given one."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_head(document) async for document in database[HEADS].find(query).sort("_id", 1).limit(limit)]


async def version(database: Database, policy_id: str, number: int) -> Version | None:
    """One version of a policy."""
    document = await database[VERSIONS].find_one({"_id": f"{policy_id}@{number}"})
    return _version(document) if document else None


async def versions(database: Database, policy_id: str, before: int | None, limit: int) -> list[Version]:
    """The versions of a policy, newest first, before the given one."""
    query: dict[str, Any] = {"policy_id": policy_id}
    if before is not None:
        query["version"] = {"$lt": before}
    cursor = database[VERSIONS].find(query).sort("version", -1).limit(limit)
    return [_version(document) async for document in cursor]


async def add_version(work: Work, added: Version, active_version: int | None) -> None:
    """Keep a new version and make it the latest one of its policy."""
    await work.db[VERSIONS].insert_one(
        {
            "_id": f"{added.policy_id}@{added.version}",
            "policy_id": added.policy_id,
            "version": added.version,
            "rules": added.rules.model_dump(mode="json"),
            "note": added.note,
            "created_by": added.created_by,
            "created_at": added.created_at,
        },
        session=work.session,
    )
    await _set_head(work, added.policy_id, {"latest": added.version, "active": active_version})


async def activate(work: Work, policy_id: str, number: int) -> None:
    """Put a version in force."""
    await _set_head(work, policy_id, {"active": number})
    await work.db[STAMPS].update_one({"_id": "policies"}, {"$inc": {"revision": 1}}, upsert=True, session=work.session)


async def save_groups(work: Work, groups: Sequence[Group]) -> None:
    """Keep what the channel says of groups; the policy assigned to them stays."""
    operations = [UpdateOne({"_id": g.group_id}, {"$set": _group_fields(g, work.now)}, upsert=True) for g in groups]
    if operations:
        await work.db[GROUPS].bulk_write(operations, session=work.session)


async def dismiss_groups(work: Work, group_ids: Sequence[str]) -> None:
    """Note that groups are no more."""
    change = {"$set": {"dismissed_at": work.now, "updated_at": work.now}}
    await work.db[GROUPS].update_many({"_id": {"$in": list(group_ids)}}, change, session=work.session)


async def assign(work: Work, group_id: str, policy_id: str | None) -> None:
    """Give a group its policy; None gives it the default."""
    change = {"$set": {"policy_id": policy_id, "updated_at": work.now}, "$inc": {"revision": 1}}
    await work.db[GROUPS].update_one({"_id": group_id}, change, upsert=True, session=work.session)


async def set_modes(work: Work, modes: Mapping[str, ModeSpan | None]) -> None:
    """Put groups in a mode, or back to the normal one with None; in force everywhere within two seconds."""
    operations = [
        UpdateOne({"_id": group_id}, {"$set": {**_mode_fields(mode), "updated_at": work.now}}, upsert=True)
        for group_id, mode in modes.items()
    ]
    if operations:
        await work.db[GROUPS].bulk_write(operations, session=work.session)


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


async def _set_head(work: Work, policy_id: str, fields: Mapping[str, Any]) -> None:
    change = {"$set": {**fields, "updated_at": work.now}, "$inc": {"revision": 1}}
    await work.db[HEADS].update_one({"_id": policy_id}, change, upsert=True, session=work.session)


def _group_fields(known: Group, now: datetime) -> dict[str, Any]:
    return {
        "name": known.name,
        "owner": known.owner,
        "purpose": known.purpose.value,
        "timezone": known.timezone,
        "tags": list(known.tags),
        "capabilities": known.capabilities.model_dump(mode="json"),
        "updated_at": now,
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
        escalate_to=document.get("escalate_to"),
        capabilities=Capabilities(**document.get("capabilities", {})),
        mode=_mode(document),
    )


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
    )


def _head(document: Mapping[str, Any]) -> Head:
    return Head(
        document["_id"], document["latest"], document.get("active"), document["revision"], document["updated_at"]
    )


def _version(document: Mapping[str, Any]) -> Version:
    return Version(
        document["policy_id"],
        document["version"],
        Rules(**document["rules"]),
        document["note"],
        document["created_by"],
        document["created_at"],
    )

"""Policies in MongoDB. What a version says is never changed; a head says which version is in force."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.policies.model import Changes, Written

VERSIONS = "policy_versions"
HEADS = "policies"
STAMPS = "stamps"
INDEXES: Mapping[str, Sequence[Index]] = {
    VERSIONS: (Index((("policy_id", 1), ("version", -1)), unique=True),),
    HEADS: (),
    STAMPS: (),
}


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
    """A version of a policy: what it says, who wrote it and why.

    `approved_by` is who put it in force for the first time; `backtest` sums up the latest one that ran to its end.
    """

    policy_id: str
    version: int
    changes: Changes
    note: str
    created_by: str
    created_at: datetime | None
    approved_by: str | None = None
    approved_at: datetime | None = None
    backtest: Mapping[str, Any] | None = None

    @property
    def written(self) -> Written:
        """What it says."""
        return Written(self.policy_id, self.version, self.changes)


async def revision(reader: Reader) -> int:
    """A number that rises whenever a policy is activated, own rules of a group or exceptions change."""
    stamp = await reader.collection(STAMPS).find_one({"_id": "policies"})
    return int(stamp["revision"]) if stamp else 0


async def touch(work: Work) -> None:
    """Let every process know. Of two who change at once what depends on one another, one is made to look again."""
    await work.collection(STAMPS).update_one({"_id": "policies"}, {"$inc": {"revision": 1}}, upsert=True)


async def in_force(reader: Reader, only: Collection[str] | None = None) -> dict[str, Written]:
    """What the versions in force say, by the policy's id; of all policies, or of these."""
    query: dict[str, Any] = {"active": {"$ne": None}}
    if only is not None:
        query["_id"] = {"$in": list(only)}
    keys = [f"{head['_id']}@{head['active']}" async for head in reader.collection(HEADS).find(query)]
    if not keys:
        return {}
    cursor = reader.collection(VERSIONS).find({"_id": {"$in": keys}})
    return {document["policy_id"]: _version(document).written async for document in cursor}


async def head(reader: Reader, policy_id: str) -> Head | None:
    """The policy of this id."""
    document = await reader.collection(HEADS).find_one({"_id": policy_id})
    return _head(document) if document else None


async def heads(reader: Reader, after: str | None, limit: int) -> list[Head]:
    """The policies by id, after the given one."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_head(document) async for document in reader.collection(HEADS).find(query).sort("_id", 1).limit(limit)]


async def version(reader: Reader, policy_id: str, number: int) -> Version | None:
    """One version of a policy."""
    document = await reader.collection(VERSIONS).find_one({"_id": f"{policy_id}@{number}"})
    return _version(document) if document else None


async def versions(reader: Reader, policy_id: str, before: int | None, limit: int) -> list[Version]:
    """The versions of a policy, newest first, before the given one."""
    query: dict[str, Any] = {"policy_id": policy_id}
    if before is not None:
        query["version"] = {"$lt": before}
    cursor = reader.collection(VERSIONS).find(query).sort("version", -1).limit(limit)
    return [_version(document) async for document in cursor]


async def add_version(work: Work, added: Version, active_version: int | None) -> None:
    """Keep a new version and make it the latest one of its policy."""
    await work.collection(VERSIONS).insert_one(
        {
            "_id": added.written.label,
            "policy_id": added.policy_id,
            "version": added.version,
            "changes": added.changes,
            "note": added.note,
            "created_by": added.created_by,
            "created_at": added.created_at,
        },
    )
    await _set_head(work, added.policy_id, {"latest": added.version, "active": active_version})


async def activate(work: Work, policy_id: str, number: int, actor: str) -> None:
    """Put a version in force; whoever does so first has approved it."""
    await _set_head(work, policy_id, {"active": number})
    first = {"_id": f"{policy_id}@{number}", "approved_by": None}
    change = {"$set": {"approved_by": actor, "approved_at": work.now}}
    await work.collection(VERSIONS).update_one(first, change)
    await touch(work)


async def note_backtest(work: Work, policy_id: str, number: int, summary: Mapping[str, Any]) -> None:
    """Keep with a version how its latest backtest ended."""
    change = {"$set": {"backtest": summary}}
    await work.collection(VERSIONS).update_one({"_id": f"{policy_id}@{number}"}, change)


async def _set_head(work: Work, policy_id: str, fields: Mapping[str, Any]) -> None:
    change = {"$set": {**fields, "updated_at": work.now}, "$inc": {"revision": 1}}
    await work.collection(HEADS).update_one({"_id": policy_id}, change, upsert=True)


def _head(document: Mapping[str, Any]) -> Head:
    return Head(
        document["_id"], document["latest"], document.get("active"), document["revision"], document["updated_at"]
    )


def _version(document: Mapping[str, Any]) -> Version:
    return Version(
        document["policy_id"],
        document["version"],
        document["changes"],
        document["note"],
        document["created_by"],
        document["created_at"],
        document.get("approved_by"),
        document.get("approved_at"),
        document.get("backtest"),
    )

"""Plans in MongoDB. Versions are never changed; a head says which one is in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.incidents.model.plans import Plan

VERSIONS = "incident_plan_versions"
HEADS = "incident_plans"
INDEXES: Mapping[str, Sequence[Index]] = {
    VERSIONS: (Index((("kind", 1), ("version", -1)), unique=True),),
    HEADS: (),
}


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A kind of crisis: its plan's latest version and the one in force, if any; `revision` rises with every change."""

    kind: str
    latest: int
    active: int | None
    revision: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan, with who wrote it and why; `incident_id` is the one whose review asked for it."""

    kind: str
    version: int
    plan: Plan
    note: str
    created_by: str
    created_at: datetime | None
    incident_id: str | None = None


async def head(reader: Reader, kind: str) -> PlanHead | None:
    """What operators have written for this kind."""
    document = await reader.collection(HEADS).find_one({"_id": kind})
    return _head(document) if document else None


async def heads(reader: Reader) -> list[PlanHead]:
    """Every kind that operators have written for; there are never many."""
    return [_head(document) async for document in reader.collection(HEADS).find().sort("_id", 1).limit(1_000)]


async def version(reader: Reader, kind: str, number: int) -> PlanVersion | None:
    """One version of a plan."""
    document = await reader.collection(VERSIONS).find_one({"_id": _key(kind, number)})
    return _version(document) if document else None


async def versions(reader: Reader, kind: str, before: int | None, limit: int) -> list[PlanVersion]:
    """The versions of a plan, newest first, before the given one."""
    query: dict[str, Any] = {"kind": kind}
    if before is not None:
        query["version"] = {"$lt": before}
    cursor = reader.collection(VERSIONS).find(query).sort("version", -1).limit(limit)
    return [_version(document) async for document in cursor]


async def add_version(work: Work, added: PlanVersion, head_after: PlanHead) -> None:
    """Keep a new version and what its head says from now on."""
    await work.collection(VERSIONS).insert_one(
        {
            "_id": _key(added.kind, added.version),
            "kind": added.kind,
            "version": added.version,
            "plan": added.plan.model_dump(mode="json"),
            "note": added.note,
            "created_by": added.created_by,
            "created_at": added.created_at,
            "incident_id": added.incident_id,
        },
    )
    await save_head(work, head_after)


async def save_head(work: Work, changed: PlanHead) -> None:
    """Keep what the head says."""
    document = {
        "_id": changed.kind,
        "latest": changed.latest,
        "active": changed.active,
        "revision": changed.revision,
        "updated_at": changed.updated_at,
    }
    await work.collection(HEADS).replace_one({"_id": changed.kind}, document, upsert=True)


def _key(kind: str, number: int) -> str:
    return f"{kind}@{number}"


def _head(document: Mapping[str, Any]) -> PlanHead:
    return PlanHead(
        document["_id"], document["latest"], document["active"], document["revision"], document["updated_at"]
    )


def _version(document: Mapping[str, Any]) -> PlanVersion:
    return PlanVersion(
        document["kind"],
        document["version"],
        Plan(**document["plan"]),
        document["note"],
        document["created_by"],
        document["created_at"],
        document["incident_id"],
    )

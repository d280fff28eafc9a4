"""Exceptions to rules in MongoDB."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.policies.model import RuleException

EXCEPTIONS = "rule_exceptions"
INDEXES: Mapping[str, Sequence[Index]] = {
    EXCEPTIONS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("member_id", 1),)),
        Index((("until", 1),), expires_after=timedelta(days=400)),
    )
}


@dataclass(frozen=True, slots=True)
class Grant:
    """An exception as people see it; without a member it is for the whole group."""

    id: str
    group_id: str
    exception: RuleException
    reason: str
    granted_by: str
    granted_at: datetime
    revoked_by: str | None = None
    revoked_at: datetime | None = None


async def add(work: Work, grant: Grant) -> None:
    """Keep a new exception."""
    document = {
        "_id": grant.id,
        "group_id": grant.group_id,
        "rule": grant.exception.rule,
        "member_id": grant.exception.member_id,
        "until": grant.exception.until,
        "reason": grant.reason,
        "granted_by": grant.granted_by,
        "granted_at": grant.granted_at,
    }
    await work.collection(EXCEPTIONS).insert_one(document)


async def revoke(work: Work, grant_id: str, actor: str) -> None:
    """Note that an exception holds no longer."""
    change = {"$set": {"revoked_by": actor, "revoked_at": work.now}}
    await work.collection(EXCEPTIONS).update_one({"_id": grant_id}, change)


async def find(reader: Reader, grant_id: str) -> Grant | None:
    """The exception of this id."""
    document = await reader.collection(EXCEPTIONS).find_one({"_id": grant_id})
    return _grant(document) if document else None


async def page(reader: Reader, group_id: str | None, before: str | None, limit: int) -> list[Grant]:
    """The exceptions of a group, or all; newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id, "_id": {"$lt": before} if before else None}
    query = {name: value for name, value in query.items() if value is not None}
    return [
        _grant(document) async for document in reader.collection(EXCEPTIONS).find(query).sort("_id", -1).limit(limit)
    ]


async def in_force(reader: Reader, moment: datetime) -> dict[str, tuple[RuleException, ...]]:
    """The exceptions that end after `moment` and were not revoked, by group."""
    found: defaultdict[str, list[RuleException]] = defaultdict(list)
    async for document in reader.collection(EXCEPTIONS).find({"until": {"$gt": moment}, "revoked_at": None}):
        found[document["group_id"]].append(_grant(document).exception)
    return {group_id: tuple(exceptions) for group_id, exceptions in found.items()}


def _grant(document: Mapping[str, Any]) -> Grant:
    return Grant(
        document["_id"],
        document["group_id"],
        RuleException(document["rule"], document["member_id"], document["until"]),
        document["reason"],
        document["granted_by"],
        document["granted_at"],
        document.get("revoked_by"),
        document.get("revoked_at"),
    )

"""Exceptions to rules in MongoDB."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from huiqun.store import Index, Reader
from huiqun.versions.model import ApprovalRecord, Content, VersionState, content_hash_of
from huiqun.versions.store import approval_fields, approval_from
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
    """An exception as people see it; without a member it is for the whole group.

    `granted_by` asked for it; it holds from its approval on.
    """

    id: str
    group_id: str
    exception: RuleException
    reason: str
    granted_by: str
    granted_at: datetime
    approval: ApprovalRecord
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 of what is to be approved."""
        content: Content = {
            "group_id": self.group_id,
            "member_id": self.exception.member_id,
            "rule": self.exception.rule,
            "until": round(self.exception.until.timestamp() * 1_000),
            "reason": self.reason,
        }
        return content_hash_of(content)


async def save(work: Work, grant: Grant) -> None:
    """Write an exception as it is now."""
    until = grant.exception.until
    document = {
        "_id": grant.id,
        "group_id": grant.group_id,
        "rule": grant.exception.rule,
        "member_id": grant.exception.member_id,
        # What waits for an approval holds for no time: also for the release before, which knows of no approvals.
        "until": until if grant.approval.state is VersionState.APPROVED else grant.granted_at,
        "wanted_until": until,
        "reason": grant.reason,
        "granted_by": grant.granted_by,
        "granted_at": grant.granted_at,
        "revoked_by": grant.revoked_by,
        "revoked_at": grant.revoked_at,
        **approval_fields(grant.approval),
    }
    await work.collection(EXCEPTIONS).replace_one({"_id": grant.id}, document, upsert=True)


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
    """The approved exceptions that end after `moment` and were not revoked, by group."""
    found: defaultdict[str, list[RuleException]] = defaultdict(list)
    query = {"until": {"$gt": moment}, "revoked_at": None, "state": {"$in": [None, VersionState.APPROVED.value]}}
    async for document in reader.collection(EXCEPTIONS).find(query):
        found[document["group_id"]].append(_grant(document).exception)
    return {group_id: tuple(exceptions) for group_id, exceptions in found.items()}


def _grant(document: Mapping[str, Any]) -> Grant:
    """Read an exception; one of a release without approvals holds, and names nobody who approved it."""
    author = document["granted_by"]
    approved = ApprovalRecord(document["_id"], (author,), VersionState.APPROVED)
    return Grant(
        document["_id"],
        document["group_id"],
        RuleException(document["rule"], document["member_id"], document.get("wanted_until", document["until"])),
        document["reason"],
        author,
        document["granted_at"],
        approval_from(document, {}, author) if "state" in document else approved,
        document.get("revoked_by"),
        document.get("revoked_at"),
    )

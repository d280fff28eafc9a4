"""Exceptions to rules in MongoDB."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.versions.model import ApprovalRecord, VersionState
from huiqun.versions.store import approval_fields, approval_from
from huiqun.work import Work
from moderation.groups.model import RuleException
from moderation.rule_exceptions.model import ExceptionGrant

EXCEPTIONS: Final = "rule_exceptions"
RULE_EXCEPTION_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    EXCEPTIONS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("member_id", 1),)),
        Index((("until", 1),), expires_after=timedelta(days=400)),
    )
}


async def save_exception(work: Work, grant: ExceptionGrant) -> None:
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


async def find_exception(reader: Reader, grant_id: str) -> ExceptionGrant | None:
    """Find the exception of this id."""
    document = await reader.collection(EXCEPTIONS).find_one({"_id": grant_id})
    return _read_grant(document) if document else None


async def list_exceptions(reader: Reader, group_id: str | None, before: str | None, limit: int) -> list[ExceptionGrant]:
    """List the exceptions of a group, or all; newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id, "_id": {"$lt": before} if before else None}
    query = {name: value for name, value in query.items() if value is not None}
    return [
        _read_grant(document)
        async for document in reader.collection(EXCEPTIONS).find(query).sort("_id", -1).limit(limit)
    ]


async def list_exceptions_in_force(reader: Reader, moment: datetime) -> dict[str, tuple[RuleException, ...]]:
    """List the approved exceptions that end after `moment` and were not revoked, by group."""
    found: defaultdict[str, list[RuleException]] = defaultdict(list)
    query = {"until": {"$gt": moment}, "revoked_at": None, "state": {"$in": [None, VersionState.APPROVED.value]}}
    async for document in reader.collection(EXCEPTIONS).find(query):
        found[document["group_id"]].append(_read_grant(document).exception)
    return {group_id: tuple(exceptions) for group_id, exceptions in found.items()}


def _read_grant(document: Mapping[str, Any]) -> ExceptionGrant:
    """Read an exception; one of a release without approvals holds, and names nobody who approved it."""
    author = document["granted_by"]
    approved = ApprovalRecord(document["_id"], (author,), VersionState.APPROVED)
    return ExceptionGrant(
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

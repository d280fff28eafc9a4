"""Delegations in MongoDB; they are kept after their end, for whoever looks into an incident later."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.delegations.model import DelegatedRight, Delegation

DELEGATIONS = "delegations"
DELEGATION_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    DELEGATIONS: (
        Index((("principal_id", 1), ("until", 1))),
        Index((("until", 1),), expires_after=timedelta(days=1_827)),
    )
}


async def add_delegation(work: Work, granted: Delegation) -> None:
    """Keep a new delegation."""
    await work.collection(DELEGATIONS).insert_one(_document(granted))


async def save_delegation(work: Work, changed: Delegation) -> None:
    """Write a delegation back."""
    await work.collection(DELEGATIONS).replace_one({"_id": changed.id}, _document(changed))


async def find_delegation(reader: Reader, delegation_id: str) -> Delegation | None:
    """The delegation of this id, None if there is none."""
    document = await reader.collection(DELEGATIONS).find_one({"_id": delegation_id})
    return _delegation(document) if document else None


async def list_live_delegations(work: Work, principal_id: str) -> list[Delegation]:
    """The delegations that give a principal something now."""
    query = {"principal_id": principal_id, "until": {"$gt": work.now}, "revoked_at": None}
    return [_delegation(document) async for document in work.collection(DELEGATIONS).find(query)]


async def list_delegations(
    reader: Reader, principal_id: str | None, before: str | None, limit: int
) -> list[Delegation]:
    """The delegations to a principal, or all of them; newest first, before the given id."""
    query: dict[str, Any] = {"principal_id": principal_id, "_id": {"$lt": before} if before else None}
    query = {name: value for name, value in query.items() if value is not None}
    cursor = reader.collection(DELEGATIONS).find(query).sort("_id", -1).limit(limit)
    return [_delegation(document) async for document in cursor]


def _document(delegation: Delegation) -> dict[str, Any]:
    return {
        "_id": delegation.id,
        "principal_id": delegation.principal_id,
        "rights": sorted(delegation.rights),
        "groups": list(delegation.groups),
        "until": delegation.until,
        "reason": delegation.reason,
        "granted_by": delegation.granted_by,
        "granted_at": delegation.granted_at,
        "revoked_at": delegation.revoked_at,
        "revoked_by": delegation.revoked_by,
    }


def _delegation(document: Mapping[str, Any]) -> Delegation:
    fields = {name: value for name, value in document.items() if name != "_id"}
    rights = frozenset(map(DelegatedRight, fields.pop("rights")))
    return Delegation(id=document["_id"], rights=rights, groups=tuple(fields.pop("groups")), **fields)

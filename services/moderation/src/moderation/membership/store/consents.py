"""Consents in MongoDB: a document each time a member agrees to a version of the rules, never changed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from huiqun.store import Database, Index
from huiqun.stream import Work
from moderation.membership.model.consent import Consent

CONSENTS = "consents"
INDEXES: Mapping[str, Sequence[Index]] = {
    CONSENTS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("member_id", 1),)),
        # Longer than a bank's customer may come back on it.
        Index((("given_at", 1),), expires_after=timedelta(days=5 * 366)),
    )
}


async def append(work: Work, consents: Sequence[Consent]) -> None:
    """Keep consents."""
    if consents:
        await work.db[CONSENTS].insert_many(list(map(_document, consents)), session=work.session)


async def page(
    database: Database, group_id: str, *, member_id: str | None, before: str | None, limit: int
) -> list[Consent]:
    """Consents in a group, newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id}
    if member_id is not None:
        query["member_id"] = member_id
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = database[CONSENTS].find(query).sort("_id", -1).limit(limit)
    return [_consent(document) async for document in cursor]


def _document(consent: Consent) -> dict[str, Any]:
    return {
        "_id": consent.id,
        "group_id": consent.group_id,
        "member_id": consent.member_id,
        "rules_version": consent.rules_version,
        "policy_version": consent.policy_version,
        "given_by": consent.given_by,
        "given_at": consent.given_at,
    }


def _consent(document: Mapping[str, Any]) -> Consent:
    return Consent(
        document["_id"],
        document["group_id"],
        document["member_id"],
        document["rules_version"],
        document["policy_version"],
        document["given_by"],
        document["given_at"],
    )

"""Consents in MongoDB: a document each time a member agrees to a version of the rules, never changed; and the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.membership.model.consent import Consent
from moderation.policies.sections.membership import MembershipRules

CONSENTS = "consents"
RULES = "agreed_rules"
INDEXES: Mapping[str, Sequence[Index]] = {
    CONSENTS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("member_id", 1),)),
        # Longer than a bank's customer may come back on it.
        Index((("given_at", 1),), expires_after=timedelta(days=5 * 366)),
    ),
    RULES: (),
}


@dataclass(frozen=True, slots=True)
class AgreedRules:
    """The rules of a version that somebody has agreed to, in their words."""

    version: str
    text: str | None
    url: str | None
    first_agreed_at: datetime


async def append(work: Work, consents: Sequence[Consent], read: Mapping[str, MembershipRules]) -> None:
    """Keep consents, and the rules that were agreed to, by version: policies change, evidence must not."""
    if not consents:
        return
    await work.collection(CONSENTS).insert_many(list(map(_document, consents)))
    operations = [
        UpdateOne(
            {"_id": version},
            {"$setOnInsert": {"text": rules.rules_text, "url": rules.rules_url, "first_agreed_at": work.now}},
            upsert=True,
        )
        for version, rules in read.items()
    ]
    await work.collection(RULES).bulk_write(operations, ordered=False)


async def agreed_rules(reader: Reader, version: str) -> AgreedRules | None:
    """The rules of this version; None if nobody has ever agreed to them."""
    document = await reader.collection(RULES).find_one({"_id": version})
    if document is None:
        return None
    return AgreedRules(version, document["text"], document["url"], document["first_agreed_at"])


async def page(
    reader: Reader, group_id: str, *, member_id: str | None, before: str | None, limit: int
) -> list[Consent]:
    """Consents in a group, newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id}
    if member_id is not None:
        query["member_id"] = member_id
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = reader.collection(CONSENTS).find(query).sort("_id", -1).limit(limit)
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

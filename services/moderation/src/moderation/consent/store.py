"""Consents in MongoDB: where each member stands with the rules, what they agreed to each time, and in which words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.channel.directory.migration import FormerRecords
from huiqun.channel.directory.model import (
    DirectoryGroup,
    DirectoryMember,
    MemberArrival,
    MemberDescription,
    Stamp,
    StampedValue,
    member_key,
)
from huiqun.channel.directory.store import DEPARTED_MEMBER_RETENTION
from huiqun.contracts.channel import LeaveReason, Role
from huiqun.privacy.names import PersonName
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.consent.model import AgreedRules, Consent, ConsentState
from moderation.policies.sections.membership import MembershipRules

CONSENTS: Final = "consents"
#: A document for each member who was asked or has agreed.
CONSENT_STATES: Final = "members"
AGREED_RULES: Final = "agreed_rules"
CONSENT_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    CONSENT_STATES: (Index((("member_id", 1),)), Index((("gone_since", 1),), expires_after=DEPARTED_MEMBER_RETENTION)),
    CONSENTS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("member_id", 1),)),
        # Longer than a bank's customer may come back on it.
        Index((("given_at", 1),), expires_after=timedelta(days=5 * 366)),
    ),
    AGREED_RULES: (),
}
_STATE_FIELDS: Final = ("agreed_to", "agreed_at", "asked_at", "hinted_at")


async def list_consent_states_of(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, ConsentState]:
    """List the states of (group, member) pairs by key, in one read; who has none is not among them."""
    keys = [member_key(*pair) for pair in members]
    return await list_consent_states(work, keys) if keys else {}


async def list_consent_states(reader: Reader, keys: Sequence[str]) -> dict[str, ConsentState]:
    """List the states under these keys; who has none is not among them."""
    cursor = reader.collection(CONSENT_STATES).find({"_id": {"$in": list(keys)}})
    return {document["_id"]: _state(document) for document in await cursor.to_list(None)}


async def get_consent_state(reader: Reader, group_id: str, member_id: str) -> ConsentState:
    """Read the state of a member; a new one if there is none."""
    found = await list_consent_states(reader, [member_key(group_id, member_id)])
    return found.get(member_key(group_id, member_id)) or ConsentState(group_id, member_id)


async def save_consent_states(work: Work, states: Iterable[ConsentState]) -> None:
    """Write the states back, in one bulk write."""
    operations = [UpdateOne({"_id": state.key}, {"$set": _state_document(state)}, upsert=True) for state in states]
    if operations:
        await work.collection(CONSENT_STATES).bulk_write(operations, ordered=False)


async def save_hints(work: Work, states: Sequence[ConsentState], at: datetime) -> None:
    """Note that these members were told why their messages were taken out."""
    operations = [UpdateOne({"_id": state.key}, {"$set": {"hinted_at": at}}) for state in states]
    if operations:
        await work.collection(CONSENT_STATES).bulk_write(operations, ordered=False)


async def save_moves(work: Work, moved: Iterable[DirectoryMember]) -> None:
    """Note of members who went, or are back, since when they are gone: their states go when the directory's do."""
    operations = [UpdateOne({"_id": member.key}, {"$set": {"gone_since": member.left_at}}) for member in moved]
    if operations:
        await work.collection(CONSENT_STATES).bulk_write(operations, ordered=False)


async def append_consents(work: Work, consents: Sequence[Consent], read: Mapping[str, MembershipRules]) -> None:
    """Keep consents, and the rules that were agreed to, by version: policies change, evidence must not."""
    if not consents:
        return
    await work.collection(CONSENTS).insert_many(list(map(_consent_document, consents)))
    operations = [
        UpdateOne(
            {"_id": version},
            {"$setOnInsert": {"text": rules.rules_text, "url": rules.rules_url, "first_agreed_at": work.now}},
            upsert=True,
        )
        for version, rules in read.items()
    ]
    await work.collection(AGREED_RULES).bulk_write(operations, ordered=False)


async def find_agreed_rules(reader: Reader, version: str) -> AgreedRules | None:
    """Find the rules of this version; None if nobody has ever agreed to them."""
    document = await reader.collection(AGREED_RULES).find_one({"_id": version})
    if document is None:
        return None
    return AgreedRules(version, document["text"], document["url"], document["first_agreed_at"])


async def list_consents(
    reader: Reader, group_id: str, *, member_id: str | None, before: str | None, limit: int
) -> list[Consent]:
    """List the consents in a group, newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id}
    if member_id is not None:
        query["member_id"] = member_id
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = reader.collection(CONSENTS).find(query).sort("_id", -1).limit(limit)
    return [_consent(document) async for document in cursor]


def _consent_document(consent: Consent) -> dict[str, Any]:
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


def _state_document(state: ConsentState) -> dict[str, Any]:
    return {
        "group_id": state.group_id,
        "member_id": state.member_id,
        **{name: getattr(state, name) for name in _STATE_FIELDS},
    }


def _state(document: Mapping[str, Any]) -> ConsentState:
    return ConsentState(
        document["group_id"], document["member_id"], **{name: document.get(name) for name in _STATE_FIELDS}
    )


def _read_former(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    member = DirectoryMember(document["group_id"], document["member_id"])
    if "described" in document:
        described = _stamp(document["described"])
        member.described = StampedValue(MemberDescription(Role(document["role"])), described)
        if document.get("display_name"):
            member.name = StampedValue(PersonName(document["display_name"]), described)
    if "joined" in document:
        arrival = MemberArrival(document.get("invited_by"), document.get("scene"))
        member.arrived = StampedValue(arrival, _stamp(document["joined"]))
    if "left" in document:
        member.left = StampedValue(LeaveReason(document["left_reason"]), _stamp(document["left"]))
    return [], [member]


def _stamp(document: Mapping[str, Any]) -> Stamp:
    return Stamp(document["at"], document["event"])


# What else stood here is left to the release before, which reads it as long as it runs beside this one.
FORMER_MEMBERS: Final = FormerRecords(
    "4-members-into-the-directory",
    CONSENT_STATES,
    {"present": {"$exists": True}},
    _read_former,
    lambda _: {"$unset": {"present": "", "display_name": ""}},
    ("group_id_1_member_id_1",),
)

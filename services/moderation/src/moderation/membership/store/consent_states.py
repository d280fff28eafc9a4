"""Where members stand with the rules, in MongoDB: a document for each who was asked or has agreed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
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
from moderation.membership.model.consent import ConsentState

STATES: Final = "members"
INDEXES: Mapping[str, Sequence[Index]] = {
    STATES: (Index((("member_id", 1),)), Index((("gone_since", 1),), expires_after=DEPARTED_MEMBER_RETENTION))
}
_FIELDS: Final = ("agreed_to", "agreed_at", "asked_at", "hinted_at")


async def load(work: Work, members: Iterable[tuple[str, str]]) -> dict[str, ConsentState]:
    """The states of (group, member) pairs by key, in one read; who has none is not among them."""
    keys = [member_key(*pair) for pair in members]
    return await list_states(work, keys) if keys else {}


async def list_states(reader: Reader, keys: Sequence[str]) -> dict[str, ConsentState]:
    """The states under these keys; who has none is not among them."""
    cursor = reader.collection(STATES).find({"_id": {"$in": list(keys)}})
    return {document["_id"]: _state(document) for document in await cursor.to_list(None)}


async def find(reader: Reader, group_id: str, member_id: str) -> ConsentState:
    """The state of a member; a new one if there is none."""
    found = await list_states(reader, [member_key(group_id, member_id)])
    return found.get(member_key(group_id, member_id)) or ConsentState(group_id, member_id)


async def save(work: Work, states: Iterable[ConsentState]) -> None:
    """Write the states back, in one bulk write."""
    operations = [UpdateOne({"_id": state.key}, {"$set": _fields(state)}, upsert=True) for state in states]
    if operations:
        await work.collection(STATES).bulk_write(operations, ordered=False)


async def note_hints(work: Work, states: Sequence[ConsentState], at: datetime) -> None:
    """Note that these members were told why their messages were taken out."""
    operations = [UpdateOne({"_id": state.key}, {"$set": {"hinted_at": at}}) for state in states]
    if operations:
        await work.collection(STATES).bulk_write(operations, ordered=False)


async def note_moves(work: Work, moved: Iterable[DirectoryMember]) -> None:
    """Note of members who went, or are back, since when they are gone: their states go when the directory's do."""
    operations = [UpdateOne({"_id": member.key}, {"$set": {"gone_since": member.left_at}}) for member in moved]
    if operations:
        await work.collection(STATES).bulk_write(operations, ordered=False)


def _fields(state: ConsentState) -> dict[str, Any]:
    return {
        "group_id": state.group_id,
        "member_id": state.member_id,
        **{name: getattr(state, name) for name in _FIELDS},
    }


def _state(document: Mapping[str, Any]) -> ConsentState:
    return ConsentState(document["group_id"], document["member_id"], **{name: document.get(name) for name in _FIELDS})


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
    STATES,
    {"present": {"$exists": True}},
    _read_former,
    lambda _: {"$unset": {"present": "", "display_name": ""}},
    ("group_id_1_member_id_1",),
)

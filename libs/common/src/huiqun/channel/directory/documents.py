"""How groups and members stand in the directory's collection."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from huiqun.channel.directory.model import (
    DirectoryGroup,
    DirectoryMember,
    GroupProfile,
    ListingKey,
    MemberArrival,
    MemberDescription,
    SenderSighting,
    Stamp,
    StampedValue,
    ValueT,
)
from huiqun.contracts.channel import Capabilities, GroupKind, LeaveReason, Purpose, Role

GROUP: Final = "group"
MEMBER: Final = "member"
Document = Mapping[str, Any]


def group_fields(group: DirectoryGroup, now: datetime) -> dict[str, Any]:
    """Return the fields of a group's document."""
    profile = group.profile
    return {
        "record": GROUP,
        "channel": profile.channel,
        "kind": profile.kind.value,
        "name": profile.name,
        "owner": profile.owner,
        "purpose": profile.purpose.value,
        "timezone": profile.timezone,
        "tags": list(profile.tags),
        "capabilities": profile.capabilities.model_dump(mode="json"),
        "described": _stamp_fields(group.described) if group.described else None,
        "dismissed_at": group.dismissed_at,
        "listed_at": group.listed_at,
        "open_listings": [
            {"as_of": key.as_of, "pages": key.pages, "received": sorted(group.open_listings[key])}
            for key in sorted(group.open_listings)
        ],
        "updated_at": now,
    }


def group_from(document: Document) -> DirectoryGroup:
    """Return the group in a document."""
    described = document.get("described")
    if described is None:
        profile = GroupProfile()
    else:
        profile = GroupProfile(
            channel=document["channel"],
            kind=GroupKind(document["kind"]),
            name=document["name"],
            owner=document["owner"],
            purpose=Purpose(document["purpose"]),
            timezone=document["timezone"],
            tags=tuple(document["tags"]),
            capabilities=Capabilities(**document["capabilities"]),
        )
    return DirectoryGroup(
        document["_id"],
        profile,
        described=_stamp(described) if described else None,
        dismissed_at=document.get("dismissed_at"),
        listed_at=document.get("listed_at"),
        open_listings={
            ListingKey(each["as_of"], each["pages"]): frozenset(each["received"])
            for each in document.get("open_listings", ())
        },
    )


def member_document(member: DirectoryMember, now: datetime) -> dict[str, Any]:
    """Return a member's document; name and ids are encrypted by now."""
    told = {
        "described": _told_fields(member.described, _description_fields),
        "seen": _told_fields(member.seen, _description_fields),
        "arrived": _told_fields(member.arrived, asdict),
        "listed": _told_fields(member.listed, lambda joined_at: {"joined_at": joined_at}),
        "left": _told_fields(member.left, lambda reason: {"reason": reason.value}),
        "name": _told_fields(member.name, lambda value: {"value": value}),
        "role": member.role.value if member.role is not None else None,
        "channel": member.channel,
        "heard_at": member.heard_at,
        "gone_since": member.left_at,
        "erased_at": member.erased_at,
    }
    return {
        "_id": member.key,
        "record": MEMBER,
        "group_id": member.group_id,
        "member_id": member.member_id,
        "present": member.is_present,
        "missing": member.is_missing,
        "ids": [
            {"kind": kind, "value": each.value, **_stamp_fields(each.stamp)}
            for kind, each in sorted(member.ids.items(), key=lambda item: item[0])
        ],
        **{name: value for name, value in told.items() if value is not None},
        "updated_at": now,
    }


def member_from(document: Document) -> DirectoryMember:
    """Return the member in a document."""
    return DirectoryMember(
        document["group_id"],
        document["member_id"],
        described=_told(document.get("described"), lambda each: MemberDescription(Role(each["role"]), each["channel"])),
        name=_told(document.get("name"), lambda each: each["value"]),
        ids={each["kind"]: StampedValue(each["value"], _stamp(each)) for each in document["ids"]},
        arrived=_told(
            document.get("arrived"), lambda each: MemberArrival(each["invited_by"], each["scene"], each["state"])
        ),
        listed=_told(document.get("listed"), lambda each: each["joined_at"]),
        left=_told(document.get("left"), lambda each: LeaveReason(each["reason"])),
        seen=_told(document.get("seen"), lambda each: SenderSighting(Role(each["role"]), each["channel"])),
        is_missing=document["missing"],
        erased_at=document.get("erased_at"),
    )


def _description_fields(value: MemberDescription | SenderSighting) -> dict[str, Any]:
    return {"role": value.role.value, "channel": value.channel}


def _told_fields(told: StampedValue[ValueT] | None, fields: Callable[[ValueT], Document]) -> dict[str, Any] | None:
    return {**fields(told.value), **_stamp_fields(told.stamp)} if told is not None else None


def _told(document: Document | None, value: Callable[[Document], ValueT]) -> StampedValue[ValueT] | None:
    return StampedValue(value(document), _stamp(document)) if document is not None else None


def _stamp_fields(stamp: Stamp) -> dict[str, Any]:
    return {"at": stamp.at, "event": stamp.event_id}


def _stamp(document: Document) -> Stamp:
    return Stamp(document["at"], document["event"])

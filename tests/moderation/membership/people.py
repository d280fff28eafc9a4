"""Who comes into a group and goes, as these tests tell it: by an id, at noon, invited by a QR code."""

from collections.abc import Sequence
from datetime import datetime

from huiqun.contracts.channel import (
    GroupCreated,
    GroupListed,
    LeaveReason,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Role,
)
from huiqun.testing import events
from tests.moderation.rig import MONDAY, OWNER


def joined(
    member: str, group: str = "g1", at: datetime = MONDAY, name: str | None = None, role: Role = Role.CUSTOMER
) -> MemberJoined:
    shown = member if name is None else name
    return events.member_joined(group, member, at, role=role, display_name=shown, invited_by=OWNER, scene="qr")


def left(member: str, group: str = "g1", at: datetime = MONDAY, reason: LeaveReason = LeaveReason.LEFT) -> MemberLeft:
    return events.member_left(group, member, at, reason)


def renamed(
    member: str, name: str, group: str = "g1", at: datetime = MONDAY, role: Role = Role.CUSTOMER
) -> MemberUpdated:
    return events.member_updated(group, member, at, display_name=name, role=role)


def listed(group: str, members: Sequence[str], as_of: datetime = MONDAY) -> GroupListed:
    return events.group_listed(group, members, as_of)


def created(group: str = "g1", name: str = "理财一群", timezone: str = "Asia/Shanghai") -> GroupCreated:
    return events.group_created(group, MONDAY, name=name, owner=OWNER, timezone=timezone, capabilities=events.NATIVE)

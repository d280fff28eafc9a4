"""A member's record, which comes out the same in whatever order the events about the member arrive."""

from dataclasses import dataclass, field
from datetime import datetime

from huiqun.contracts.channel import Departure, LeaveReason, Message, Role
from huiqun.contracts.channel import Member as Described
from huiqun.runtime.clock import whole_milliseconds

#: When something happened, and the id of the event that said so: the later stamp wins, and no two are equal.
Stamp = tuple[datetime, str]


@dataclass(slots=True)
class Member:
    """Somebody in a group, or who was there.

    Arrival, departure and description are kept apart, each with the stamp of the latest event about it: that makes
    a departure that arrives after a later return harmless. `asked_at` is when the member was last asked to agree to
    the rules, `hinted_at` when last told why a message was taken out.
    """

    group_id: str
    member_id: str
    role: Role = Role.CUSTOMER
    display_name: str = field(default="", repr=False)
    described: Stamp | None = None
    joined: Stamp | None = None
    invited_by: str | None = None
    scene: str | None = None
    left: Stamp | None = None
    left_reason: LeaveReason | None = None
    agreed_to: str | None = None
    agreed_at: datetime | None = None
    asked_at: datetime | None = None
    hinted_at: datetime | None = None

    @property
    def key(self) -> str:
        """The document's id."""
        return key_of(self.group_id, self.member_id)

    @property
    def is_present(self) -> bool:
        """Whether the member is in the group; one of whom only messages or changes are known is."""
        if self.left is None:
            return True
        return self.joined is not None and self.joined[0] > self.left[0]

    @property
    def joined_at(self) -> datetime | None:
        """When the member came, the last time if there were several; None if nobody said."""
        return self.joined[0] if self.joined else None

    @property
    def left_at(self) -> datetime | None:
        """When the member went; None for who is there."""
        return self.left[0] if self.left and not self.is_present else None


def key_of(group_id: str, member_id: str) -> str:
    """The id of a member's record; ids hold no slash."""
    return f"{group_id}/{member_id}"


def join(member: Member, data: Described, stamp: Stamp) -> bool:
    """Note that the member came; True when that is news: before, the member was away or nobody had seen them come."""
    was_there = member.is_present and member.joined is not None
    if member.joined is None or stamp > member.joined:
        member.joined, member.invited_by, member.scene = stamp, data.invited_by, data.scene
    describe(member, data, stamp)
    return not was_there and member.is_present and member.joined == stamp


def leave(member: Member, data: Departure, stamp: Stamp) -> bool:
    """Note that the member went; True when the member is away by it, and not back already."""
    if member.left is None or stamp > member.left:
        member.left, member.left_reason = stamp, data.reason
    return not member.is_present


def describe(member: Member, data: Described, stamp: Stamp) -> None:
    """Note the member's name and role, unless something newer is known."""
    if member.described is None or stamp > member.described:
        member.described, member.role, member.display_name = stamp, data.role, data.display_name.reveal()


def describe_by(member: Member, message: Message) -> None:
    """Note the name and role under which the member wrote, unless something newer is known."""
    at, sender = whole_milliseconds(message.sent_at), message.sender
    if member.described is None or at > member.described[0]:
        member.described, member.role = (at, message.message_id), sender.role
        member.display_name = sender.display_name.reveal()

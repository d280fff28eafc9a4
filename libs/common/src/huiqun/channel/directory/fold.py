"""How what the channel tells changes groups and members. Nothing is read or written here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

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
    member_key,
)
from huiqun.contracts.channel import (
    Group,
    GroupCreated,
    GroupDismissed,
    GroupKind,
    GroupListed,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    MessageReceived,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.fields import Account
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.runtime.placeholders import is_placeholder

GroupEvent = GroupCreated | GroupUpdated | GroupDismissed
MemberEvent = MemberJoined | MemberUpdated | MemberLeft
RosterEvent = MemberEvent | GroupListed
DirectoryEvent = GroupEvent | RosterEvent
#: Judged or not yet: who has the one does not read the other.
WrittenMessage = MessageScreened | MessageReceived
#: What the directory is made of; a service routes all of it.
GROUP_EVENTS: Final = (GroupCreated, GroupUpdated, GroupDismissed)
ROSTER_EVENTS: Final = (MemberJoined, MemberUpdated, MemberLeft, GroupListed)


@dataclass(frozen=True, slots=True)
class DirectorySnapshot:
    """What the directory has of some groups, by id, and of some of their members, by key."""

    groups: Mapping[str, DirectoryGroup]
    members: Mapping[str, DirectoryMember]

    def group(self, group_id: str) -> DirectoryGroup:
        """Return the group; for one that nobody has told us of, what is taken for granted."""
        return self.groups.get(group_id) or DirectoryGroup(group_id)

    def member(self, group_id: str, member_id: str) -> DirectoryMember:
        """Return the member; for one that nobody has told us of, one of whom nothing is known."""
        return self.members.get(member_key(group_id, member_id)) or DirectoryMember(group_id, member_id)


@dataclass(slots=True)
class DirectoryChanges:
    """What events changed in `directory`, which is as they left it: groups by id and members by key.

    `arrived` are those of whose coming was told, and who are there at the end; `departed` those who went, or were found
    to have gone, at any time, `returned` those who had gone and came back. `listed` are the groups of which a listing
    has come whole.
    """

    directory: DirectorySnapshot
    groups: dict[str, DirectoryGroup] = field(default_factory=dict)
    members: dict[str, DirectoryMember] = field(default_factory=dict)
    arrived: dict[str, DirectoryMember] = field(default_factory=dict)
    departed: dict[str, DirectoryMember] = field(default_factory=dict)
    returned: dict[str, DirectoryMember] = field(default_factory=dict)
    listed: dict[str, DirectoryGroup] = field(default_factory=dict)


class DirectoryFold:
    """Takes events in, one after the other, over what the directory has of the groups and members they are about.

    Of somebody who was erased, and of whom the directory has nothing since, `known` has a member with `erased_at` only.
    """

    def __init__(self, known: DirectorySnapshot) -> None:
        self.groups = dict(known.groups)
        self.members = dict(known.members)
        self.changes = DirectoryChanges(DirectorySnapshot(self.groups, self.members))

    def apply_event(self, event: DirectoryEvent) -> None:
        """Take an event in."""
        match event:
            case GroupCreated() | GroupUpdated():
                self._changed_group(event).describe(
                    StampedValue(_profile_of(event.data, event.source), stamp_of(event))
                )
            case GroupDismissed():
                self._changed_group(event).dismiss(truncate_to_milliseconds(event.time))
            case GroupListed():
                self._take_page(event)
            case _:
                self._apply_member_event(event)

    def apply_sender(self, message: WrittenMessage) -> None:
        """Take in what a message says of who wrote it."""
        member = self._member(*sender_key_of(message))
        if _is_forgotten(member):
            return
        was_present = member.is_present
        if member.record_sighting(_sighting_in(message)):
            self.mark_if_unlisted(member, was_present=was_present)
            self.changes.members[member.key] = member

    def merge(self, groups: Iterable[DirectoryGroup], members: Iterable[DirectoryMember]) -> None:
        """Take in what was known of groups and members before there was a directory."""
        for each in groups:
            group = self._group(each.group_id)
            if each.described is not None:
                group.describe(StampedValue(each.profile, each.described))
            if each.dismissed_at is not None:
                group.dismiss(each.dismissed_at)
            self.changes.groups[group.group_id] = group
        for known in members:
            member = self._member(known.group_id, known.member_id)
            member.merge(known)
            self.mark_if_unlisted(member, was_present=member.is_present)
            self.changes.members[member.key] = member

    def mark_if_unlisted(self, member: DirectoryMember, *, was_present: bool) -> None:
        """Note whether the group's latest whole listing has the member not, and whether they are gone by now."""
        member.mark_if_unlisted(self._group(member.group_id).listed_at)
        if was_present and not member.is_present:
            self.changes.members[member.key] = self.changes.departed[member.key] = member
            self.changes.arrived.pop(member.key, None)
        elif member.is_present and not was_present:
            self.changes.members[member.key] = self.changes.returned[member.key] = member

    def _apply_member_event(self, event: MemberEvent) -> None:
        data, stamp = event.data, stamp_of(event)
        member = self._member(data.group_id, data.member_id)
        if _is_forgotten(member) and (isinstance(event, MemberLeft) or _was_erased_since(member, stamp)):
            return
        was_present, had_come = member.is_present, member.joined_at is not None
        self.changes.members[member.key] = member
        described = MemberDescription(data.role, event.source)
        match event:
            case MemberJoined():
                member.join(MemberArrival(data.invited_by, data.scene, data.state), described, stamp)
            case MemberUpdated():
                member.describe(described, stamp)
            case MemberLeft():  # names no role that could be relied on
                member.leave(event.data.reason, stamp)
        member.identify(data.display_name, data.external_ids, stamp)
        self.mark_if_unlisted(member, was_present=was_present)
        is_latest = member.arrived is not None and member.arrived.stamp == stamp
        if is_latest and member.is_present and not (was_present and had_come):
            self.changes.arrived[member.key] = member

    def _take_page(self, event: GroupListed) -> None:
        listing, group = event.data, self._changed_group(event)
        taken = Stamp(truncate_to_milliseconds(listing.as_of), event.id)
        for each in listing.members:
            member = self._member(group.group_id, each.member_id)
            if _is_forgotten(member) and _was_erased_since(member, taken):
                continue
            was_present = member.is_present
            self.changes.members[member.key] = member
            member.identify(each.display_name, each.external_ids, taken)
            came = truncate_to_milliseconds(each.joined_at) if each.joined_at is not None else None
            member.record_listing(MemberDescription(each.role, event.source), came, taken)
            self.mark_if_unlisted(member, was_present=was_present)
        if listing.complete and group.add_listing_page(ListingKey(taken.at, listing.pages), listing.page):
            self.changes.listed[group.group_id] = group
            for member in self.members.values():
                if member.group_id == group.group_id:
                    self.mark_if_unlisted(member, was_present=member.is_present)

    def _changed_group(self, event: GroupEvent | GroupListed) -> DirectoryGroup:
        group = self._group(event.data.group_id)
        self.changes.groups[group.group_id] = group
        return group

    def _group(self, group_id: str) -> DirectoryGroup:
        return self.groups.setdefault(group_id, DirectoryGroup(group_id))

    def _member(self, group_id: str, member_id: str) -> DirectoryMember:
        return self.members.setdefault(member_key(group_id, member_id), DirectoryMember(group_id, member_id))


def group_ids_in(events: Iterable[DirectoryEvent]) -> set[str]:
    """Return the groups that events are about."""
    return {event.data.group_id for event in events}


def member_keys_in(events: Iterable[DirectoryEvent]) -> set[tuple[str, str]]:
    """Return the (group id, member id) pairs that events are about."""
    found = set[tuple[str, str]]()
    for event in events:
        match event:
            case MemberJoined() | MemberUpdated() | MemberLeft():
                found.add((event.data.group_id, event.data.member_id))
            case GroupListed():
                found.update((event.data.group_id, each.member_id) for each in event.data.members)
            case _:
                pass
    return found


def accounts_in(events: Iterable[DirectoryEvent]) -> dict[tuple[str, str], Account]:
    """Return the accounts of the members that events are about, by (group id, member id)."""
    return {pair: Account(event.source, pair[1]) for event in events for pair in member_keys_in([event])}


def account_of(message: WrittenMessage) -> Account:
    """Return the account of who wrote a message."""
    channel = message.data.channel if isinstance(message, MessageScreened) else message.source
    return Account(channel, sender_key_of(message)[1])


def without_placeholders(events: Iterable[RosterEvent]) -> list[RosterEvent]:
    """Return the events without whoever goes by a placeholder for an id: it names nobody."""
    kept: list[RosterEvent] = []
    for event in events:
        if isinstance(event, GroupListed):
            named = tuple(each for each in event.data.members if not is_placeholder(each.member_id))
            kept.append(event.model_copy(update={"data": event.data.model_copy(update={"members": named})}))
        elif not is_placeholder(event.data.member_id):
            kept.append(event)
    return kept


def sender_key_of(message: WrittenMessage) -> tuple[str, str]:
    """Return the group and the id of who wrote a message."""
    if isinstance(message, MessageScreened):
        return message.data.group_id, message.data.member_id
    return message.data.group_id, message.data.sender.member_id


def _is_forgotten(member: DirectoryMember) -> bool:
    """Whether somebody was erased, and nothing is known of them since."""
    return member.erased_at is not None and member.heard_at is None and member.left is None


def _was_erased_since(member: DirectoryMember, stamp: Stamp) -> bool:
    return member.erased_at is not None and stamp.at <= member.erased_at


def _sighting_in(message: WrittenMessage) -> StampedValue[SenderSighting]:
    if isinstance(message, MessageScreened):
        return StampedValue(
            SenderSighting(message.data.role, message.data.channel), Stamp(message.written_at, message.id)
        )
    sighting = SenderSighting(message.data.sender.role, message.source)
    return StampedValue(sighting, Stamp(truncate_to_milliseconds(message.data.sent_at), message.id))


def stamp_of(event: Event) -> Stamp:
    """Return when what an event tells was so."""
    return Stamp(truncate_to_milliseconds(event.time), event.id)


def _profile_of(group: Group, channel: str) -> GroupProfile:
    return GroupProfile(
        channel=channel,
        kind=group.kind,
        name="" if group.kind is GroupKind.PRIVATE else group.name,
        owner=None if group.owner is None or is_placeholder(group.owner) else group.owner,
        purpose=group.purpose,
        timezone=group.timezone,
        tags=group.tags,
        capabilities=group.capabilities,
    )

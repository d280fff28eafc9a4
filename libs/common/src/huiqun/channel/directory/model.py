"""What is known of a group and of its members, which comes out the same in whatever order events arrive.

Each thing that is told is kept with its stamp, and of two the later one counts. A message only says who its sender is
where the channel has said nothing of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar

from huiqun.contracts.channel import Capabilities, GroupKind, LeaveReason, Purpose, Role
from huiqun.privacy.names import PersonName, PlatformId

#: A listing whose pages never all come is forgotten once so many later ones have begun.
MAX_OPEN_LISTINGS: Final = 8
#: A channel that names ids of more and more kinds is not believed for ever.
MAX_ID_KINDS: Final = 20
DEFAULT_TIMEZONE: Final = "Asia/Shanghai"
ValueT = TypeVar("ValueT")


class Stamp(NamedTuple):
    """When something was so, and the id of the event that said it: the later stamp wins, and no two are equal."""

    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class StampedValue(Generic[ValueT]):
    """What was said, and its stamp."""

    value: ValueT
    stamp: Stamp


def later_value(known: StampedValue[ValueT] | None, told: StampedValue[ValueT]) -> StampedValue[ValueT]:
    """Return what counts of what was known and what is told now."""
    return told if known is None or told.stamp > known.stamp else known


def latest_value(*told: StampedValue[ValueT] | None) -> StampedValue[ValueT] | None:
    """Return what counts of what was told, if anything was."""
    return max((each for each in told if each is not None), key=lambda each: each.stamp, default=None)


@dataclass(frozen=True, slots=True)
class GroupProfile:
    """What the channel says that a group is. The name of a private group is a person's, and is not kept."""

    channel: str | None = None
    kind: GroupKind = GroupKind.GROUP
    name: str = ""
    owner: str | None = None
    purpose: Purpose = Purpose.OTHER
    timezone: str = DEFAULT_TIMEZONE
    tags: tuple[str, ...] = ()
    capabilities: Capabilities = field(default_factory=Capabilities)


class ListingKey(NamedTuple):
    """Which listing a page belongs to: the pages of one were taken at the same time and say how many there are."""

    as_of: datetime
    pages: int


@dataclass(slots=True)
class DirectoryGroup:
    """A group. `described` is the stamp of `profile`, None as long as the channel has not told of the group.

    `listed_at` is when the latest listing was taken whose pages have all come; `open_listings` are later ones, and the
    pages of them that have.
    """

    group_id: str
    profile: GroupProfile = field(default_factory=GroupProfile)
    described: Stamp | None = None
    dismissed_at: datetime | None = None
    listed_at: datetime | None = None
    open_listings: dict[ListingKey, frozenset[int]] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether the channel has said what the group is."""
        return self.described is not None

    def describe(self, told: StampedValue[GroupProfile]) -> None:
        """Note what the group is."""
        if self.described is None or told.stamp > self.described:
            self.profile, self.described = told.value, told.stamp

    def dismiss(self, at: datetime) -> None:
        """Note that the group is no more, which is for good."""
        self.dismissed_at = min(at, self.dismissed_at or at)

    def add_listing_page(self, listing: ListingKey, page: int) -> bool:
        """Note a page of a listing, and tell whether the listing has come whole by it and none after it has."""
        is_superseded = self.listed_at is not None and listing.as_of <= self.listed_at
        if is_superseded or page > listing.pages:
            return False
        received = self.open_listings.get(listing, frozenset()) | {page}
        if len(received) == listing.pages:
            self.listed_at = listing.as_of
            self.open_listings = {key: pages for key, pages in self.open_listings.items() if key.as_of > listing.as_of}
            return True
        self.open_listings[listing] = received
        for key in sorted(self.open_listings)[:-MAX_OPEN_LISTINGS]:
            del self.open_listings[key]
        return False


@dataclass(frozen=True, slots=True)
class MemberDescription:
    """What the channel says that a member is."""

    role: Role
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class MemberArrival:
    """How a member came."""

    invited_by: str | None = None
    scene: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class SenderSighting:
    """What a message says of its sender."""

    role: Role
    channel: str


# As it was told, or encrypted as it is stored.
StoredName = PersonName | bytes
StoredId = PlatformId | bytes


@dataclass(slots=True)
class DirectoryMember:
    """A member of a group, or who was one.

    `described`, `name`, `ids` by their kind, `arrived`, `listed` (with when they came, if the listing says so) and
    `left` are what the channel told last; `seen` is the latest message, and is None for who has been described.
    `is_missing` says that the latest whole listing of the group, taken after the last sign of them, has them not.
    Of who was erased, name and ids are not taken in before they come anew, after `erased_at`.
    """

    group_id: str
    member_id: str
    described: StampedValue[MemberDescription] | None = None
    name: StampedValue[StoredName] | None = None
    ids: dict[str, StampedValue[StoredId]] = field(default_factory=dict)
    arrived: StampedValue[MemberArrival] | None = None
    listed: StampedValue[datetime | None] | None = None
    left: StampedValue[LeaveReason] | None = None
    seen: StampedValue[SenderSighting] | None = None
    is_missing: bool = False
    erased_at: datetime | None = None

    @property
    def key(self) -> str:
        """The document's id."""
        return member_key(self.group_id, self.member_id)

    @property
    def role(self) -> Role | None:
        """What they are in the group; None if nobody has said."""
        told = self.described or self.seen
        return told.value.role if told is not None else None

    @property
    def channel(self) -> str | None:
        """The source of the channel that they are a member of; None for who is only known to have left."""
        told = self.described or self.seen
        return told.value.channel if told is not None else None

    @property
    def is_present(self) -> bool:
        """Whether they are in the group; one of whom only messages or changes are known is."""
        return not (self._has_departed or self.is_missing)

    @property
    def joined_at(self) -> datetime | None:
        """When they came, the last time if there were several; None if nobody said."""
        told = [self.arrived.stamp.at if self.arrived else None, self.listed.value if self.listed else None]
        return max((moment for moment in told if moment is not None), default=None)

    @property
    def left_at(self) -> datetime | None:
        """When they went, or were last heard of where nobody said when; None for who is there."""
        if self.is_present:
            return None
        return self.left.stamp.at if self.left is not None and self._has_departed else self.heard_at

    @property
    def last_left_at(self) -> datetime | None:
        """When they went, the last time if there were several; also of who is back."""
        return self.left_at or (self.left.stamp.at if self.left is not None else None)

    @property
    def left_reason(self) -> LeaveReason | None:
        """Why they went; None for who is there. Who is only missing from a listing is taken to have left."""
        if self.is_present:
            return None
        return self.left.value if self.left is not None and self._has_departed else LeaveReason.LEFT

    @property
    def is_suppressed(self) -> bool:
        """Whether their data was erased and they have not come anew since: what others tell of them is passed over."""
        return self.erased_at is not None and (self.arrived is None or self.arrived.stamp.at <= self.erased_at)

    def is_suppressed_at(self, at: datetime) -> bool:
        """Whether nothing is kept of what they did then, because they were erased since or have not come anew."""
        return self.is_suppressed or (self.erased_at is not None and at <= self.erased_at)

    @property
    def heard_at(self) -> datetime | None:
        """The last sign of them in the group; None for who is only known to have left."""
        told = (self.described, self.arrived, self.listed, self.seen)
        return max((each.stamp.at for each in told if each is not None), default=None)

    def join(self, arrival: MemberArrival, description: MemberDescription, stamp: Stamp) -> None:
        """Note that they came."""
        self.arrived = later_value(self.arrived, StampedValue(arrival, stamp))
        self.describe(description, stamp)

    def leave(self, reason: LeaveReason, stamp: Stamp) -> None:
        """Note that they went."""
        self.left = later_value(self.left, StampedValue(reason, stamp))

    def record_listing(self, description: MemberDescription, joined_at: datetime | None, stamp: Stamp) -> None:
        """Note that a listing has them; they cannot have come after it was taken."""
        came = min(joined_at, stamp.at) if joined_at is not None else None
        self.listed = later_value(self.listed, StampedValue(came, stamp))
        self.describe(description, stamp)

    def describe(self, description: MemberDescription, stamp: Stamp) -> None:
        """Note what they are."""
        self.described, self.seen = later_value(self.described, StampedValue(description, stamp)), None

    def record_sighting(self, sighting: StampedValue[SenderSighting]) -> bool:
        """Note a message of theirs if the channel has said nothing of them; tell whether that changed anything."""
        if self.described is not None:
            return False
        before, self.seen = self.seen, later_value(self.seen, sighting)
        return self.seen is not before

    def identify(self, name: PersonName, ids: Mapping[str, PlatformId], stamp: Stamp) -> None:
        """Note what they are called and their ids elsewhere; what is empty says nothing."""
        if self.is_suppressed_at(stamp.at):
            return
        if name:
            self.name = later_value(self.name, StampedValue(name, stamp))
        for kind, value in ids.items():
            if kind and value:
                self.ids[kind] = later_value(self.ids.get(kind), StampedValue(value, stamp))
        by_age = sorted(self.ids, key=lambda kind: (self.ids[kind].stamp, kind))
        for kind in by_age[:-MAX_ID_KINDS]:
            del self.ids[kind]

    def merge(self, other: "DirectoryMember") -> None:
        """Note what somebody else has been told of the same member; a name that was erased stays so."""
        self.arrived, self.left = latest_value(self.arrived, other.arrived), latest_value(self.left, other.left)
        self.described = latest_value(self.described, other.described)
        self.name = latest_value(self.name, other.name if self.erased_at is None else None)
        self.seen = latest_value(self.seen, other.seen) if self.described is None else None

    def erase(self, at: datetime) -> None:
        """Forget name, ids and how they came, also what is told again of a time up to then."""
        self.name, self.ids, self.erased_at = None, {}, max(at, self.erased_at or at)
        self.arrived = StampedValue(MemberArrival(), self.arrived.stamp) if self.arrived is not None else None

    def mark_if_unlisted(self, listed_at: datetime | None) -> None:
        """Note whether the latest whole listing of the group, which was taken then, has them not."""
        self.is_missing = listed_at is not None and self.heard_at is not None and self.heard_at < listed_at

    @property
    def _has_departed(self) -> bool:
        if self.left is None:
            return False
        here = [told.stamp for told in (self.arrived, self.listed) if told is not None]
        return not here or self.left.stamp > max(here)


def member_key(group_id: str, member_id: str) -> str:
    """The id of a member's document; ids hold no slash."""
    return f"{group_id}/{member_id}"


def directory_keys(group_ids: Iterable[str], members: Iterable[tuple[str, str]]) -> list[str]:
    """The ids of the documents of groups and of (group id, member id) pairs, and of the groups that these are in."""
    pairs = set(members)
    groups = {*group_ids, *(group_id for group_id, _ in pairs)}
    return [*sorted(groups), *sorted(member_key(*pair) for pair in pairs)]

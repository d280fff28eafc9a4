"""What a customer is, and which ids are one customer. Pure, and in any order of the topics the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class IdKind(StrEnum):
    """Where an id of a customer comes from, from the strongest to the weakest."""

    UNIONID = "unionid"
    EXTERNAL_USERID = "external_userid"
    MEMBER_ID = "member_id"


_RANKS = {kind: rank for rank, kind in enumerate(IdKind)}
_LONGEST_ID = 128
Ids = Mapping[str, IdKind]


@dataclass(slots=True)
class Membership:
    """Whether a customer is in a group, and since when that is so; who writes is, unless a departure says otherwise."""

    present: bool = True
    moved_at: datetime | None = None

    def move(self, at: datetime, *, present: bool) -> None:
        """The customer came or went; the latest counts."""
        if self.moved_at is None or at >= self.moved_at:
            self.present, self.moved_at = present, at


@dataclass(slots=True)
class Customer:
    """A person, with memberships by (group, member id).

    A departure names no role that could be relied on, so it leaves a record that is not `confirmed` to be a
    customer's until another event says so.
    """

    ids: dict[str, IdKind] = field(default_factory=dict)
    confirmed: bool = False
    display_name: str = field(default="", repr=False)
    named_at: datetime | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    memberships: dict[tuple[str, str], Membership] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The strongest id; the document's id."""
        return min(self.ids, key=lambda known: (_RANKS[self.ids[known]], known))

    @property
    def groups(self) -> list[str]:
        """The groups the customer is in."""
        return sorted({group_id for (group_id, _), membership in self.memberships.items() if membership.present})

    def learn_ids(self, ids: Ids) -> None:
        """Add ids; one that is known under two kinds is of the stronger."""
        for known, kind in ids.items():
            self.ids[known] = min(kind, self.ids.get(known, kind), key=_RANKS.__getitem__)

    def membership(self, group_id: str, member_id: str) -> Membership:
        """The membership of a group; a new one if there is none."""
        return self.memberships.setdefault((group_id, member_id), Membership())

    def take_name(self, name: str, at: datetime) -> None:
        """The customer had this name at that time; the latest counts, and no name says nothing."""
        if name and (self.named_at is None or (at, name) > (self.named_at, self.display_name)):
            self.display_name, self.named_at = name, at

    def see(self, at: datetime) -> None:
        """The customer came or wrote."""
        self.first_seen = min(at, self.first_seen or at)
        self.last_seen = max(at, self.last_seen or at)

    def absorb(self, other: "Customer") -> None:
        """Take over everything of a record that turned out to be the same person's."""
        self.learn_ids(other.ids)
        self.confirmed |= other.confirmed
        self.memberships |= other.memberships  # a member id is one customer's, so the keys differ
        if other.named_at is not None:
            self.take_name(other.display_name, other.named_at)
        for seen in (other.first_seen, other.last_seen):
            if seen is not None:
                self.see(seen)


class Directory:
    """The customers that a batch is about, found by any of their ids; counts those it made and those it merged."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        self.created = self.merged = 0
        self._by_id = {known: customer for customer in customers for known in customer.ids}
        self._stored = {customer.key for customer in self._by_id.values()}

    def customer(self, ids: Ids) -> Customer:
        """The customer of these ids: several become one, and who has none is new."""
        found = {id(known): known for known in map(self._by_id.get, ids) if known is not None}
        self.created += not found
        self.merged += max(len(found) - 1, 0)
        customer, *others = found.values() or (Customer(),)
        for other in others:
            customer.absorb(other)
        customer.learn_ids(ids)
        self._by_id.update(dict.fromkeys(customer.ids, customer))
        return customer

    @property
    def customers(self) -> dict[str, Customer]:
        """Everybody, by key."""
        return {customer.key: customer for customer in self._by_id.values()}

    @property
    def outdated(self) -> set[str]:
        """The keys of stored records that stand under another key now, or went into another record."""
        return self._stored - self.customers.keys()


def ids_of(member_id: str, external_ids: Mapping[str, str]) -> dict[str, IdKind]:
    """The ids of a member; external ids that are empty or no ids are passed over, for channels send such."""
    ids = {member_id: IdKind.MEMBER_ID}
    for kind in (IdKind.EXTERNAL_USERID, IdKind.UNIONID):
        value = external_ids.get(kind.value, "")
        if _is_id(value):
            ids[value] = kind
    return ids


def _is_id(value: str) -> bool:
    return 0 < len(value) <= _LONGEST_ID and value.isprintable() and not any(c.isspace() or c == "/" for c in value)

"""Which external ids a member has, and which members are one customer. Pure, and in any order of topics the same."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from huiqun.channel.directory.model import DirectoryMember
from huiqun.contracts.channel import Role
from huiqun.runtime.placeholders import is_distinctive

#: An id that more members than this bear says nothing of who they are.
MAX_ID_BEARERS: Final = 32
# A channel that says another id of a member each time is not believed for ever.
_MAX_CLAIMS: Final = 8
_LONGEST_ID: Final = 128


class IdKind(StrEnum):
    """Where an id of a customer comes from, from the strongest to the weakest."""

    UNIONID = "unionid"
    EXTERNAL_USERID = "external_userid"
    MEMBER_ID = "member_id"


_RANKS: Final = {kind: rank for rank, kind in enumerate(IdKind)}


class Identity(NamedTuple):
    """An id in its namespace. `source` is the channel it means something in; none for one that all channels share."""

    kind: IdKind
    source: str
    value: str

    @property
    def key(self) -> str:
        """What it is stored under; neither a kind nor a value holds a slash."""
        return f"{self.kind.value}/{self.value}/{self.source}"


@dataclass(slots=True)
class CustomerAccount:
    """An account on a channel, the same in all its groups, with what the channel said of it.

    `claims` are the external ids that it was said to have, and when last. `ids` are those that tell who it is, the
    strongest first. A departure names no role that could be relied on, so it leaves a record that is not `confirmed`
    to be a customer's until another event says so.
    """

    source: str
    member_id: str
    claims: dict[Identity, datetime] = field(default_factory=dict)
    ids: tuple[Identity, ...] = ()
    confirmed: bool = False
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    def __post_init__(self) -> None:
        self.ids = self.ids or (self.identity,)

    @property
    def identity(self) -> Identity:
        """The account itself."""
        return Identity(IdKind.MEMBER_ID, self.source, self.member_id)

    @property
    def customer_id(self) -> str:
        """Whose account it is: made of the strongest id, which it does not show."""
        return blake2b(self.ids[0].key.encode(), digest_size=16).hexdigest()

    def claim_id(self, identity: Identity, at: datetime) -> bool:
        """The channel says that the account has an external id; True when that may change who it is."""
        known = self.claims.get(identity)
        self.claims[identity] = max(at, known or at)
        of_kind = sorted((said, other) for other, said in self.claims.items() if other.kind is identity.kind)
        for _, forgotten in of_kind[:-_MAX_CLAIMS]:
            del self.claims[forgotten]
        return known is None or len(of_kind) > 1

    def claimed_id(self, kind: IdKind) -> Identity | None:
        """The external id of a kind that was said last."""
        found = [(at, identity) for identity, at in self.claims.items() if identity.kind is kind]
        return max(found)[1] if found else None

    def record_presence(self, at: datetime) -> None:
        """The member came or wrote."""
        self.first_seen = min(at, self.first_seen or at)
        self.last_seen = max(at, self.last_seen or at)


@dataclass(slots=True)
class IdEvidence:
    """What an external id shows: who was ever said to bear it, and under which unionids they were known.

    It shows nothing any more (`is_shared`) once too many bear it, or once people of different unionids do.
    """

    identity: Identity
    bearers: set[str] = field(default_factory=set)
    unionids: set[Identity] = field(default_factory=set)
    is_shared: bool = False

    def add_bearer(self, bearer: str, unionids: Iterable[Identity]) -> bool:
        """A member bears it, and was said to have these unionids; True when it shows nothing from now on."""
        if self.is_shared:
            return False
        self.bearers.add(bearer)
        if self.identity.kind is not IdKind.UNIONID:
            self.unionids |= set(unionids)
        self.is_shared = len(self.bearers) > MAX_ID_BEARERS or len(self.unionids) > 1
        if self.is_shared:
            self.bearers, self.unionids = set(), set()
        return self.is_shared


@dataclass(frozen=True, slots=True)
class Customer:
    """A person: all accounts that are known to be theirs."""

    id: str
    members: tuple[CustomerAccount, ...]

    @property
    def ids(self) -> list[Identity]:
        """Every id that tells who they are, the strongest first."""
        found = {identity for member in self.members for identity in member.ids}
        return sorted(found, key=lambda identity: (_RANKS[identity.kind], identity))

    @property
    def first_seen(self) -> datetime | None:
        """When they first came or wrote."""
        return min((member.first_seen for member in self.members if member.first_seen is not None), default=None)

    @property
    def last_seen(self) -> datetime | None:
        """When they last came or wrote."""
        return max((member.last_seen for member in self.members if member.last_seen is not None), default=None)


class IdentityGraph:
    """The members that a batch is about, those whom what it says of ids may concern, and the evidence on them all.

    `changed` are the keys of the members to write, `weighed` the ids whose evidence to write, `unsettled` the keys of
    those of whom another id was said, `concerned` of those whose customer may be another for it. `created`, `moved`
    and `discredited` count new members, members that are another customer's now, and ids that show nothing any more.
    """

    def __init__(self, members: Iterable[CustomerAccount]) -> None:
        self.members = {member.identity.key: member for member in members}
        self.evidence: dict[Identity, IdEvidence] = {}
        self.changed: set[str] = set()
        self.weighed: set[Identity] = set()
        self.unsettled: set[str] = set()
        self.concerned: set[str] = set()
        self.created = self.moved = self.discredited = 0

    def member(self, source: str, member_id: str) -> CustomerAccount:
        """The account of a member, to be changed; a new one if there is none."""
        member = CustomerAccount(source, member_id)
        key = member.identity.key
        self.created += key not in self.members
        self.changed.add(key)
        return self.members.setdefault(key, member)

    def add_claims(self, member: CustomerAccount, identities: Iterable[Identity], at: datetime) -> None:
        """The channel says that the member has these external ids."""
        news = [member.claim_id(identity, at) for identity in identities]
        if any(news):
            self.unsettled.add(member.identity.key)

    def resolve_identities(self) -> None:
        """Find out again who the concerned are; they are among `members`, and all evidence on them is there."""
        for key in self.unsettled:
            claims = self.members[key].claims
            unionids = [identity for identity in claims if identity.kind is IdKind.UNIONID]
            for identity in claims:
                known = self.evidence.setdefault(identity, IdEvidence(identity))
                self.discredited += known.add_bearer(key, unionids)
                self.weighed.add(identity)
        if self.discredited:
            # Who relied on any of this meanwhile, without adding to what was discredited, has to look again.
            self.weighed |= self.evidence.keys()
        for key in self.concerned:
            member = self.members[key]
            before, member.ids = member.ids, rank_identities(member, self.evidence)
            if member.ids != before:
                self.changed.add(key)
                self.moved += member.ids[0] != before[0]


def rank_identities(member: CustomerAccount, evidence: Mapping[Identity, IdEvidence]) -> tuple[Identity, ...]:
    """The ids that tell who a member is, the strongest first; members with the same strongest one are one customer.

    A unionid does, else an external id of its channel: that of the one unionid that its bearers have, if they have
    one. Two unionids never become one customer, and what is shared by many or by people of several unionids is
    passed over. `evidence` has everything that the member was said to bear, and the unionids that come with it.
    """

    def shows(identity: Identity) -> bool:
        return not evidence[identity].is_shared

    claimed = (member.claimed_id(IdKind.UNIONID), member.claimed_id(IdKind.EXTERNAL_USERID))
    ids = [identity for identity in claimed if identity is not None and shows(identity)]
    if ids and ids[0].kind is IdKind.EXTERNAL_USERID:
        ids = [*filter(shows, evidence[ids[0]].unionids), *ids]
    return (*ids, member.identity)


def is_customer(member: DirectoryMember) -> bool:
    """Whether somebody is in a group as a customer, as far as is known."""
    return member.role in (None, Role.CUSTOMER)


def parse_external_ids(source: str, said: Mapping[str, str]) -> Iterator[Identity]:
    """The external ids that a channel says a member has; what is no id or stands for none is passed over."""
    for kind in (IdKind.UNIONID, IdKind.EXTERNAL_USERID):
        value = said.get(kind.value, "")
        if _is_id(value):
            yield Identity(kind, "" if kind is IdKind.UNIONID else source, value)


def _is_id(value: str) -> bool:
    plain = value.isprintable() and not any(sign.isspace() or sign == "/" for sign in value)
    return plain and len(value) <= _LONGEST_ID and is_distinctive(value)

"""Members in MongoDB, a document each, and the evidence on external ids; a customer is who shares a `customer_id`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm_sync.customers.model import Customer, CustomerAccount, Identity, IdentityGraph, IdEvidence, IdKind, is_customer
from huiqun.channel.directory.migration import FormerRecords
from huiqun.channel.directory.model import (
    DirectoryGroup,
    DirectoryMember,
    MemberArrival,
    MemberDescription,
    SenderSighting,
    Stamp,
    StampedValue,
)
from huiqun.channel.directory.store import list_account_memberships, list_present_members
from huiqun.contracts.channel import LeaveReason, Role
from huiqun.contracts.fields import Account
from huiqun.privacy.names import PersonName
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work

MEMBERS: Final = "members"
EVIDENCE: Final = "identity_evidence"
CUSTOMER_INDEXES: Mapping[str, Sequence[Index]] = {
    MEMBERS: (
        Index((("customer_id", 1),)),
        Index((("ids.value", 1),)),
    ),
    EVIDENCE: (Index((("bearers", 1),)),),
}
# Who bears an id, what else they bear, who bears that: farther than this, nobody is another person for it.
_STEPS: Final = 2


async def load_identity_graph(work: Work, members: Iterable[tuple[str, str]]) -> IdentityGraph:
    """What is known of (source, member id) pairs."""
    return IdentityGraph(await _members(work, {CustomerAccount(*pair).identity.key for pair in members}))


async def load_concerned(work: Work, graph: IdentityGraph) -> None:
    """Read whom the ids of the unsettled may concern, and the evidence on all of them."""
    found = set(graph.unsettled)
    for _ in range(_STEPS):
        graph.concerned |= found
        await _read_evidence(work, graph, found)
        found = {key for known in graph.evidence.values() for key in known.bearers} - graph.concerned
        unread = await _members(work, found - graph.members.keys())
        graph.members |= {member.identity.key: member for member in unread}
    graph.concerned |= found
    await _read_evidence(work, graph, found)


async def save_identity_graph(work: Work, graph: IdentityGraph) -> None:
    """Write the members and the evidence back."""
    members = [graph.members[key] for key in sorted(graph.changed)]
    if members:
        operations = [
            UpdateOne({"_id": each.identity.key}, {"$set": _fields(work, each)}, upsert=True) for each in members
        ]
        await work.collection(MEMBERS).bulk_write(operations, ordered=False)
    # Each is raised even if nothing else in it changes: of two who weigh the same id at once, one has to look again.
    weighed = [
        UpdateOne(
            {"_id": identity.key},
            {"$set": _evidence_fields(graph.evidence[identity]), "$inc": {"revision": 1}},
            upsert=True,
        )
        for identity in sorted(graph.weighed)
    ]
    if weighed:
        await work.collection(EVIDENCE).bulk_write(weighed, ordered=False)


async def list_customers(reader: Reader, group_id: str | None, after: str, limit: int) -> list[Customer]:
    """The customers, or those in one group, by id, after the given one."""
    query: dict[str, Any] = {"customer_id": {"$gt": after}, "confirmed": True}
    if group_id is not None:
        present = [member for member in await list_present_members(reader, group_id) if is_customer(member)]
        query["_id"] = {"$in": [CustomerAccount(each.channel or "", each.member_id).identity.key for each in present]}
    return await _customers(reader, query, limit)


async def list_memberships(reader: Reader, customers: Iterable[Customer]) -> dict[str, list[DirectoryMember]]:
    """The groups that customers are or were in as such, by the customer's id."""
    owners = {(each.source, each.member_id): customer.id for customer in customers for each in customer.members}
    found: dict[str, list[DirectoryMember]] = {customer_id: [] for customer_id in owners.values()}
    for member in await list_account_memberships(reader, owners):
        customer_id = owners.get((member.channel or "", member.member_id))
        if customer_id is not None and is_customer(member):
            found[customer_id].append(member)
    return found


async def find_customers(
    reader: Reader, value: str, kind: IdKind | None, source: str | None, limit: int
) -> list[Customer]:
    """Who has an id of this value: one customer, unless it is an id of several kinds or channels."""
    wanted = {"kind": kind.value if kind else None, "source": source, "value": value}
    query = {"ids": {"$elemMatch": {name: given for name, given in wanted.items() if given is not None}}}
    found = await _customers(reader, query, limit)
    return [customer for customer in found if any(member.confirmed for member in customer.members)]


async def list_customer_accounts(reader: Reader, customer_id: str) -> list[Account]:
    """The accounts that are known to be a customer's."""
    cursor = reader.collection(MEMBERS).find({"customer_id": customer_id}, {"source": 1, "member_id": 1})
    return [Account(each["source"], each["member_id"]) async for each in cursor]


async def list_shared_claims(work: Work, keys: Sequence[str]) -> list[Identity]:
    """The ids that these members were said to have, and that show nothing because others have them, too."""
    claims = {claim for member in await _members(work, keys) for claim in member.claims}
    query = {"_id": {"$in": [claim.key for claim in claims]}, "is_shared": True}
    return [_identity(document) async for document in work.collection(EVIDENCE).find(query)]


async def _customers(reader: Reader, query: Mapping[str, Any], limit: int) -> list[Customer]:
    ids: dict[str, None] = {}
    async for document in reader.collection(MEMBERS).find(query, {"customer_id": 1}).sort("customer_id", 1):
        ids[document["customer_id"]] = None
        if len(ids) == limit:
            break
    members: defaultdict[str, list[CustomerAccount]] = defaultdict(list)
    async for document in reader.collection(MEMBERS).find({"customer_id": {"$in": list(ids)}}).sort("_id", 1):
        members[document["customer_id"]].append(_member(document))
    return [Customer(customer_id, tuple(members[customer_id])) for customer_id in ids if members[customer_id]]


async def _members(work: Work, keys: Iterable[str]) -> list[CustomerAccount]:
    wanted = list(keys)
    if not wanted:
        return []
    cursor = work.collection(MEMBERS).find({"_id": {"$in": wanted}})
    return [_member(document) async for document in cursor]


async def _read_evidence(work: Work, graph: IdentityGraph, keys: Iterable[str]) -> None:
    """Read the evidence on what these members were said to bear, and on the unionids that come with it."""
    wanted = {identity for key in keys for identity in graph.members[key].claims}
    while missing := wanted - graph.evidence.keys():
        cursor = work.collection(EVIDENCE).find({"_id": {"$in": [each.key for each in missing]}})
        found = {known.identity: known for known in [_evidence(document) async for document in cursor]}
        graph.evidence |= {identity: found.get(identity) or IdEvidence(identity) for identity in missing}
        wanted = {unionid for identity in missing for unionid in graph.evidence[identity].unionids}


def _identity_fields(identity: Identity) -> dict[str, str]:
    return {"kind": identity.kind.value, "source": identity.source, "value": identity.value}


def _identity(document: Mapping[str, Any]) -> Identity:
    return Identity(IdKind(document["kind"]), document["source"], document["value"])


def _fields(work: Work, member: CustomerAccount) -> dict[str, Any]:
    return {
        "source": member.source,
        "member_id": member.member_id,
        "customer_id": member.customer_id,
        "ids": [_identity_fields(identity) for identity in member.ids],
        "claims": [{**_identity_fields(identity), "at": at} for identity, at in sorted(member.claims.items())],
        "confirmed": member.confirmed,
        "first_seen": member.first_seen,
        "last_seen": member.last_seen,
        "updated_at": work.now,
    }


def _member(document: Mapping[str, Any]) -> CustomerAccount:
    return CustomerAccount(
        document["source"],
        document["member_id"],
        claims={_identity(claim): claim["at"] for claim in document["claims"]},
        ids=tuple(map(_identity, document["ids"])),
        confirmed=document["confirmed"],
        first_seen=document.get("first_seen"),
        last_seen=document.get("last_seen"),
    )


def _evidence_fields(known: IdEvidence) -> dict[str, Any]:
    return {
        **_identity_fields(known.identity),
        "bearers": sorted(known.bearers),
        "unionids": [identity.value for identity in sorted(known.unionids)],
        "is_shared": known.is_shared,
    }


def _evidence(document: Mapping[str, Any]) -> IdEvidence:
    unionids = {Identity(IdKind.UNIONID, "", value) for value in document["unionids"]}
    return IdEvidence(_identity(document), set(document["bearers"]), unionids, document["is_shared"])


def _former_member(document: Mapping[str, Any]) -> tuple[list[DirectoryGroup], list[DirectoryMember]]:
    """A customer's memberships; the name was the same in all of them."""
    found = []
    for each in document.get("groups", ()):
        member = DirectoryMember(each["group_id"], document["member_id"])
        if each["moved_at"] is None:
            member.seen = StampedValue(
                SenderSighting(Role.CUSTOMER, document["source"]), Stamp(document["first_seen"], "")
            )
        elif each["present"]:
            member.arrived = StampedValue(MemberArrival(), Stamp(each["moved_at"], ""))
            member.described = StampedValue(
                MemberDescription(Role.CUSTOMER, document["source"]), Stamp(each["moved_at"], "")
            )
        else:
            member.left = StampedValue(LeaveReason.LEFT, Stamp(each["moved_at"], ""))
        if document.get("display_name"):
            member.name = StampedValue(PersonName(document["display_name"]), Stamp(document["named_at"], ""))
        found.append(member)
    return [], found


#: What stood here before there was a directory. The release before cannot read a member without `groups`.
FORMER_RECORDS: Final = (
    FormerRecords(
        "1-members-into-the-directory",
        MEMBERS,
        {"groups.0": {"$exists": True}},
        _former_member,
        lambda _: {"$set": {"groups": []}, "$unset": {"display_name": "", "named_at": ""}},
        ("groups.group_id_1_customer_id_1",),
    ),
)

"""Members in MongoDB, a document each, and the evidence on external ids; a customer is who shares a `customer_id`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm_sync.customers.model import Customer, Directory, Evidence, Identity, IdKind, Member, Membership
from huiqun.store import Database, Index, ReplaceOne, UpdateOne
from huiqun.work import Work

MEMBERS: Final = "members"
EVIDENCE: Final = "identity_evidence"
INDEXES: Mapping[str, Sequence[Index]] = {
    MEMBERS: (
        Index((("customer_id", 1),)),
        Index((("ids.value", 1),)),
        Index((("groups.group_id", 1), ("customer_id", 1))),
    ),
    EVIDENCE: (),
}
_MOMENTS: Final = ("named_at", "first_seen", "last_seen")
# Who bears an id, what else they bear, who bears that: farther than this, nobody is another person for it.
_STEPS: Final = 2


async def load(work: Work, members: Iterable[tuple[str, str]]) -> Directory:
    """What is known of (source, member id) pairs."""
    return Directory(await _members(work, {Member(*pair).identity.key for pair in members}))


async def gather(work: Work, directory: Directory) -> None:
    """Read whom the ids of the unsettled may concern, and the evidence on all of them."""
    found = set(directory.unsettled)
    for _ in range(_STEPS):
        directory.concerned |= found
        await _read_evidence(work, directory, found)
        found = {key for known in directory.evidence.values() for key in known.bearers} - directory.concerned
        unread = await _members(work, found - directory.members.keys())
        directory.members |= {member.identity.key: member for member in unread}
    directory.concerned |= found
    await _read_evidence(work, directory, found)


async def save(work: Work, directory: Directory) -> None:
    """Write the members and the evidence back."""
    members = [directory.members[key] for key in sorted(directory.changed)]
    if members:
        operations = [ReplaceOne({"_id": each.identity.key}, _document(each, work), upsert=True) for each in members]
        await work.db[MEMBERS].bulk_write(operations, ordered=False, session=work.session)
    # Each is raised even if nothing else in it changes: of two who weigh the same id at once, one has to look again.
    weighed = [
        UpdateOne(
            {"_id": identity.key},
            {"$set": _evidence_fields(directory.evidence[identity]), "$inc": {"revision": 1}},
            upsert=True,
        )
        for identity in sorted(directory.weighed)
    ]
    if weighed:
        await work.db[EVIDENCE].bulk_write(weighed, ordered=False, session=work.session)


async def list_customers(database: Database, group_id: str | None, after: str, limit: int) -> list[Customer]:
    """The customers, or those in one group, by id, after the given one."""
    query: dict[str, Any] = {"customer_id": {"$gt": after}, "confirmed": True}
    if group_id is not None:
        query["groups"] = {"$elemMatch": {"group_id": group_id, "present": True}}
    return await _customers(database, query, limit)


async def find_customers(
    database: Database, value: str, kind: IdKind | None, source: str | None, limit: int
) -> list[Customer]:
    """Who has an id of this value: one customer, unless it is an id of several kinds or channels."""
    wanted = {"kind": kind.value if kind else None, "source": source, "value": value}
    query = {"ids": {"$elemMatch": {name: given for name, given in wanted.items() if given is not None}}}
    found = await _customers(database, query, limit)
    return [customer for customer in found if any(member.confirmed for member in customer.members)]


async def _customers(database: Database, query: Mapping[str, Any], limit: int) -> list[Customer]:
    ids: dict[str, None] = {}
    async for document in database[MEMBERS].find(query, {"customer_id": 1}).sort("customer_id", 1):
        ids[document["customer_id"]] = None
        if len(ids) == limit:
            break
    members: defaultdict[str, list[Member]] = defaultdict(list)
    async for document in database[MEMBERS].find({"customer_id": {"$in": list(ids)}}).sort("_id", 1):
        members[document["customer_id"]].append(_member(document))
    return [Customer(customer_id, tuple(members[customer_id])) for customer_id in ids if members[customer_id]]


async def _members(work: Work, keys: Iterable[str]) -> list[Member]:
    wanted = list(keys)
    if not wanted:
        return []
    cursor = work.db[MEMBERS].find({"_id": {"$in": wanted}}, session=work.session)
    return [_member(document) async for document in cursor]


async def _read_evidence(work: Work, directory: Directory, keys: Iterable[str]) -> None:
    """Read the evidence on what these members were said to bear, and on the unionids that come with it."""
    wanted = {identity for key in keys for identity in directory.members[key].claims}
    while missing := wanted - directory.evidence.keys():
        cursor = work.db[EVIDENCE].find({"_id": {"$in": [each.key for each in missing]}}, session=work.session)
        found = {known.identity: known for known in [_evidence(document) async for document in cursor]}
        directory.evidence |= {identity: found.get(identity) or Evidence(identity) for identity in missing}
        wanted = {unionid for identity in missing for unionid in directory.evidence[identity].unionids}


def _identity_fields(identity: Identity) -> dict[str, str]:
    return {"kind": identity.kind.value, "source": identity.source, "value": identity.value}


def _identity(document: Mapping[str, Any]) -> Identity:
    return Identity(IdKind(document["kind"]), document["source"], document["value"])


def _document(member: Member, work: Work) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": member.identity.key,
        "source": member.source,
        "member_id": member.member_id,
        "customer_id": member.customer_id,
        "ids": [_identity_fields(identity) for identity in member.ids],
        "claims": [{**_identity_fields(identity), "at": at} for identity, at in sorted(member.claims.items())],
        "confirmed": member.confirmed,
        "groups": [
            {"group_id": group_id, "present": membership.present, "moved_at": membership.moved_at}
            for group_id, membership in sorted(member.memberships.items(), key=lambda item: item[0])
        ],
        "updated_at": work.now,
    }
    if member.display_name:
        document["display_name"] = member.display_name
    moments = {name: getattr(member, name) for name in _MOMENTS}
    return document | {name: moment for name, moment in moments.items() if moment is not None}


def _member(document: Mapping[str, Any]) -> Member:
    return Member(
        document["source"],
        document["member_id"],
        claims={_identity(claim): claim["at"] for claim in document["claims"]},
        ids=tuple(map(_identity, document["ids"])),
        confirmed=document["confirmed"],
        display_name=document.get("display_name", ""),
        memberships={each["group_id"]: Membership(each["present"], each["moved_at"]) for each in document["groups"]},
        **{name: document.get(name) for name in _MOMENTS},
    )


def _evidence_fields(known: Evidence) -> dict[str, Any]:
    return {
        **_identity_fields(known.identity),
        "bearers": sorted(known.bearers),
        "unionids": [identity.value for identity in sorted(known.unionids)],
        "is_shared": known.is_shared,
    }


def _evidence(document: Mapping[str, Any]) -> Evidence:
    unionids = {Identity(IdKind.UNIONID, "", value) for value in document["unionids"]}
    return Evidence(_identity(document), set(document["bearers"]), unionids, document["is_shared"])

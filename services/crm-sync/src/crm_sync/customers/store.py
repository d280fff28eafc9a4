"""Customers in MongoDB: one read and one bulk write for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_sync.customers.model import Customer, Directory, IdKind, Membership
from huiqun.store import Database, DeleteMany, Index, ReplaceOne
from huiqun.stream import Work

CUSTOMERS = "customers"
INDEXES: Mapping[str, Sequence[Index]] = {
    CUSTOMERS: (
        Index((("ids.id", 1),), unique=True),
        Index((("groups.group_id", 1),)),
    )
}
_MOMENTS = ("named_at", "first_seen", "last_seen")


async def load(work: Work, ids: Iterable[str]) -> Directory:
    """The customers who have one of these ids."""
    cursor = work.db[CUSTOMERS].find({"ids.id": {"$in": list(set(ids))}}, session=work.session)
    return Directory([_customer(document) async for document in cursor])


async def read(database: Database, known: str) -> Customer | None:
    """The customer who has this id, of whatever kind."""
    document = await database[CUSTOMERS].find_one({"ids.id": known, "confirmed": True})
    return _customer(document) if document else None


async def page(database: Database, group_id: str | None, after: str, limit: int) -> list[Customer]:
    """The customers, or those in one group, by key, after the given one."""
    query: dict[str, Any] = {"_id": {"$gt": after}, "confirmed": True}
    if group_id is not None:
        query["groups"] = {"$elemMatch": {"group_id": group_id, "present": True}}
    return [_customer(document) async for document in database[CUSTOMERS].find(query).sort("_id", 1).limit(limit)]


async def save(work: Work, directory: Directory) -> None:
    """Write the customers back, each under the strongest id."""
    operations: list[Any] = [
        ReplaceOne({"_id": key}, {**_document(key, customer), "updated_at": work.now}, upsert=True)
        for key, customer in directory.customers.items()
    ]
    if outdated := directory.outdated:
        operations.insert(0, DeleteMany({"_id": {"$in": list(outdated)}}))
    if operations:
        # In order: an id is unique, and has to be free before another record takes it over.
        await work.db[CUSTOMERS].bulk_write(operations, ordered=True, session=work.session)


def _document(key: str, customer: Customer) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": key,
        "ids": [{"id": known, "kind": customer.ids[known].value} for known in sorted(customer.ids)],
        "confirmed": customer.confirmed,
        "groups": [
            {
                "group_id": group_id,
                "member_id": member_id,
                "present": membership.present,
                "moved_at": membership.moved_at,
            }
            for (group_id, member_id), membership in sorted(customer.memberships.items(), key=lambda item: item[0])
        ],
    }
    if customer.display_name:
        document["display_name"] = customer.display_name
    moments = {name: getattr(customer, name) for name in _MOMENTS}
    return document | {name: moment for name, moment in moments.items() if moment is not None}


def _customer(document: Mapping[str, Any]) -> Customer:
    return Customer(
        ids={known["id"]: IdKind(known["kind"]) for known in document["ids"]},
        confirmed=document["confirmed"],
        display_name=document.get("display_name", ""),
        memberships={
            (group["group_id"], group["member_id"]): Membership(group["present"], group["moved_at"])
            for group in document["groups"]
        },
        **{name: document.get(name) for name in _MOMENTS},
    )

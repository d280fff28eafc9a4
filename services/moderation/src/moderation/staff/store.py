"""The list of authorised staff in MongoDB: a document for each of them, and one for the list."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.staff.model import Staff, StaffList

STAFF: Final = "staff"
STAFF_LISTS: Final = "staff_lists"
STAFF_INDEXES: Final[Mapping[str, Sequence[Index]]] = {STAFF: (), STAFF_LISTS: ()}
_ONLY: Final = "authorised"


async def get_staff_list(reader: Reader) -> StaffList:
    """Read what is known of the list as a whole."""
    document = await reader.collection(STAFF_LISTS).find_one({"_id": _ONLY})
    if document is None:
        return StaffList()
    return StaffList(document["size"], document["revision"], document["uploaded_by"], document["uploaded_at"])


async def replace_staff_list(work: Work, staff: Sequence[Staff], made: StaffList) -> None:
    """Put these in the place of everybody who stood on the list."""
    await work.collection(STAFF).delete_many({})
    if staff:
        await work.collection(STAFF).insert_many(list(map(_document, staff)), ordered=False)
    document = {
        "_id": _ONLY,
        "size": made.size,
        "revision": made.revision,
        "uploaded_by": made.uploaded_by,
        "uploaded_at": made.uploaded_at,
    }
    await work.collection(STAFF_LISTS).replace_one({"_id": _ONLY}, document, upsert=True)


async def list_staff(reader: Reader, *, after: str | None, limit: int) -> list[Staff]:
    """List the authorised staff by id, after the given one."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_staff(document) async for document in reader.collection(STAFF).find(query).sort("_id", 1).limit(limit)]


async def list_staff_by_id(reader: Reader, staff_ids: Iterable[str]) -> dict[str, Staff]:
    """Return those of the ids that stand on the list, by id."""
    cursor = reader.collection(STAFF).find({"_id": {"$in": list(staff_ids)}})
    return {document["_id"]: _staff(document) for document in await cursor.to_list(None)}


def _document(staff: Staff) -> dict[str, Any]:
    departed = {"departed_on": staff.departed_on.isoformat()} if staff.departed_on else {}
    return {"_id": staff.staff_id, "name": staff.name, **departed}


def _staff(document: Mapping[str, Any]) -> Staff:
    departed = document.get("departed_on")
    return Staff(document["_id"], document["name"], date.fromisoformat(departed) if departed else None)

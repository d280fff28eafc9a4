"""The authorised staff and the reports of roster checks in MongoDB."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.membership.model.checks import Irregularity, RosterFinding, RosterReport
from moderation.membership.model.staff import Staff

STAFF = "staff"
LISTS = "staff_lists"
REPORTS = "roster_reports"
INDEXES: Mapping[str, Sequence[Index]] = {
    STAFF: (),
    LISTS: (),
    REPORTS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("findings.member_id", 1),), where={"findings.member_id": {"$exists": True}}),
        Index((("checked_at", 1),), expires_after=timedelta(days=5 * 366)),
    ),
}
_ONLY = "authorised"


@dataclass(frozen=True, slots=True)
class StaffList:
    """The list as a whole: how many stand on it, and which upload it came with; `revision` 0 if there was none."""

    size: int = 0
    revision: int = 0
    uploaded_by: str | None = None
    uploaded_at: datetime | None = None


async def the_list(reader: Reader) -> StaffList:
    """What is known of the list."""
    document = await reader.collection(LISTS).find_one({"_id": _ONLY})
    if document is None:
        return StaffList()
    return StaffList(document["size"], document["revision"], document["uploaded_by"], document["uploaded_at"])


async def replace_list(work: Work, staff: Sequence[Staff], made: StaffList) -> None:
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
    await work.collection(LISTS).replace_one({"_id": _ONLY}, document, upsert=True)


async def find_staff(work: Work, staff_ids: Iterable[str]) -> dict[str, Staff]:
    """Those of the ids that stand on the list."""
    cursor = work.collection(STAFF).find({"_id": {"$in": list(staff_ids)}})
    return {document["_id"]: _staff(document) for document in await cursor.to_list(None)}


async def page(reader: Reader, after: str | None, limit: int) -> list[Staff]:
    """The list by staff id, after the given one."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_staff(document) async for document in reader.collection(STAFF).find(query).sort("_id", 1).limit(limit)]


async def keep_report(work: Work, report: RosterReport) -> None:
    """Keep the report of a check."""
    document = {
        "_id": report.id,
        "group_id": report.group_id,
        "checked_at": report.checked_at,
        "members": report.members,
        "staff": report.staff,
        "listed": report.listed,
        "findings": [
            {
                "kind": finding.kind.value,
                "member_id": finding.member_id,
                "detail": finding.detail,
            }
            for finding in report.findings
        ],
    }
    await work.collection(REPORTS).insert_one(document)


async def reports(reader: Reader, group_id: str, before: str | None, limit: int) -> list[RosterReport]:
    """The reports on a group, newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id}
    if before is not None:
        query["_id"] = {"$lt": before}
    return [_report(document) async for document in reader.collection(REPORTS).find(query).sort("_id", -1).limit(limit)]


def _document(staff: Staff) -> dict[str, Any]:
    departed = {"departed_on": staff.departed_on.isoformat()} if staff.departed_on else {}
    return {"_id": staff.staff_id, "name": staff.name, **departed}


def _staff(document: Mapping[str, Any]) -> Staff:
    departed = document.get("departed_on")
    return Staff(document["_id"], document["name"], date.fromisoformat(departed) if departed else None)


def _report(document: Mapping[str, Any]) -> RosterReport:
    return RosterReport(
        document["_id"],
        document["group_id"],
        document["checked_at"],
        document["members"],
        document["staff"],
        document["listed"],
        tuple(
            RosterFinding(Irregularity(entry["kind"]), entry["member_id"], entry["detail"])
            for entry in document["findings"]
        ),
    )

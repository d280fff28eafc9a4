"""The reports of roster checks in MongoDB: a document for each check, never changed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.members.model import Irregularity, RosterFinding, RosterReport

ROSTER_REPORTS: Final = "roster_reports"
MEMBER_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    ROSTER_REPORTS: (
        Index((("group_id", 1), ("_id", -1))),
        Index((("findings.member_id", 1),), where={"findings.member_id": {"$exists": True}}),
        Index((("checked_at", 1),), expires_after=timedelta(days=5 * 366)),
    ),
}


async def append_roster_report(work: Work, report: RosterReport) -> None:
    """Keep the report of a check."""
    findings = [
        {"kind": finding.kind.value, "member_id": finding.member_id, "detail": finding.detail}
        for finding in report.findings
    ]
    document = {
        "_id": report.id,
        "group_id": report.group_id,
        "checked_at": report.checked_at,
        "members": report.members,
        "staff": report.staff,
        "listed": report.listed,
        "findings": findings,
    }
    await work.collection(ROSTER_REPORTS).insert_one(document)


async def list_roster_reports(reader: Reader, group_id: str, *, before: str | None, limit: int) -> list[RosterReport]:
    """List the reports on a group, newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id}
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = reader.collection(ROSTER_REPORTS).find(query).sort("_id", -1).limit(limit)
    return [_report(document) async for document in cursor]


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

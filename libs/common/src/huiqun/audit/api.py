"""Routes of the audit log, the same for every service: read it, verify it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, Field

from huiqun.audit.log import list_audit_entries
from huiqun.audit.verification import VerificationReport, verify_audit_log
from huiqun.store import Reader
from huiqun.web import Page, Paging, ReadDatabase, Router, SingleFlight
from huiqun.web.provided import provisions_of

router = Router("/api/v1/audit", tag="audit", role="auditor")

Subject = Annotated[
    str | None, Query(max_length=300, description="Only entries about this subject.", examples=["policy/default"])
]
Actor = Annotated[
    str | None, Query(max_length=300, description="Only entries by this principal.", examples=["key:5f2a9c01d4e8b7a3"])
]


class AuditEntryView(BaseModel):
    """One entry of the log."""

    number: int = Field(description="Number of the entry in the log, from 1.", examples=[17])
    at: datetime = Field(description="Moment of the action.", examples=["2026-11-22T08:00:00Z"])
    actor: str = Field(description="Principal who acted.", examples=["key:5f2a9c01d4e8b7a3"])
    action: str = Field(description="Name of the action.", examples=["policy.activated"])
    subject: str = Field(description="Kind and id of the thing that was acted on.", examples=["policy/default"])
    detail: dict[str, Any] = Field(description="Particulars of the action.", examples=[{"version": 3}])
    hash: str = Field(description="Hash over the entry and all before it.", examples=["9f86d081884c7d65"])


class AuditFindingView(BaseModel):
    """One thing that is wrong with the log."""

    number: int = Field(description="Number of the entry with the fault.", examples=[17])
    kind: str = Field(
        description="Kind of the fault, such as an entry that is changed or missing.", examples=["changed"]
    )
    explanation: str = Field(description="Explanation of the fault.", examples=["Entry 17 does not match its hash."])


class AuditVerificationView(BaseModel):
    """What a verification of the whole log found."""

    intact: bool = Field(description="Whether the log is free of faults.", examples=[True])
    entries: int = Field(description="Number of entries that were read.", examples=[1204])
    head: int = Field(description="The last entry's number, by the log's own account.", examples=[1204])
    hash: str = Field(description="The last entry's hash: keep it elsewhere.", examples=["9f86d081884c7d65"])
    findings: list[AuditFindingView] = Field(description="Faults that were found, at most 100.")


@router.get("", summary="Read the audit log")
async def list_audit_log(
    db: ReadDatabase, paging: Paging, subject: Subject = None, actor: Actor = None
) -> Page[AuditEntryView]:
    """Newest first."""
    found = await list_audit_entries(db, subject=subject, actor=actor, before=paging.last(int), limit=paging.limit + 1)
    return paging.page(found, lambda document: (document["_id"],), _entry)


@dataclass(frozen=True, slots=True)
class AuditVerification:
    """The reading of the whole log, of which a process has one at a time."""

    flight: SingleFlight[VerificationReport]


@router.get("/verification", summary="Verify the whole audit log")
async def verify_audit(request: Request, db: ReadDatabase) -> AuditVerificationView:
    """Reads every entry; a long log takes some seconds. Who asks while it is read gets the same answer."""
    report = await _verification(request, db)()
    return AuditVerificationView(
        intact=report.intact,
        entries=report.entries,
        head=report.head.seq,
        hash=report.head.hash,
        findings=[
            AuditFindingView(number=finding.seq, kind=finding.kind, explanation=finding.explanation)
            for finding in report.findings
        ],
    )


def _verification(request: Request, reader: Reader) -> SingleFlight[VerificationReport]:
    def make() -> AuditVerification:
        return AuditVerification(SingleFlight(lambda: verify_audit_log(reader)))

    return provisions_of(request).get_or_make(AuditVerification, make).flight


def _entry(document: dict[str, Any]) -> AuditEntryView:
    return AuditEntryView(
        number=document["_id"],
        at=document["at"],
        actor=document["actor"],
        action=document["action"],
        subject=document["subject"],
        detail=document["detail"],
        hash=document["hash"],
    )

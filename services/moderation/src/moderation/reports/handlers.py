"""Members and staff report messages, for a person to look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from huiqun.contracts.moderation import CaseKind, Screened
from huiqun.work import Work
from moderation.archive.handlers import MessageNotArchivedError, get_revisions
from moderation.archive.model import MessageRef
from moderation.cases.handlers import get_case, open_cases
from moderation.cases.model import Case, CaseOpening, case_due_at
from moderation.group_policies.handlers import get_group_context
from moderation.metrics import REPORTS
from moderation.reports import store
from moderation.reports.model import REPORTED_CATEGORY, MessageReport

_LEAST_SEVERITY: Final = 2


class ReportedMessageNotFoundError(LookupError):
    """There is no such message to report."""


@dataclass(frozen=True, slots=True)
class ReportMessageCommand:
    """What a person says of a message at their desk; without a group, of the one that has this id."""

    message_id: str
    group_id: str | None
    note: str
    category: str | None


async def receive_reports(
    work: Work, reports: Sequence[MessageReport], messages: Mapping[MessageRef, Screened]
) -> list[CaseOpening]:
    """Count what members report, and return the cases to open. A report acts by nothing else than a person's decision.

    Whose reports were mostly dismissed waits for a second reporter; who reports too often is passed over. `messages`
    has of those that are reported the latest revision.
    """
    if not reports:
        return []
    known = await store.load_reporters(work, [report.by for report in reports if not report.by_staff])
    openings = []
    for report in reports:
        message = messages.get(report.ref)
        if message is None or message.member_id == report.by:
            REPORTS.labels(outcome="void").inc()
            continue
        trusted = report.by_staff
        if not report.by_staff:
            reporter = known[report.by]
            if not reporter.count_report(report.day, report.rule.reports_per_day):
                REPORTS.labels(outcome="over_limit").inc()
                continue
            trusted = reporter.trust >= report.rule.least_trust
        REPORTS.labels(outcome="taken").inc()
        openings.append(_report_opening(report, message, work.now, trusted=trusted))
    await store.save_reporters(work, known.values())
    return openings


async def report_message(work: Work, command: ReportMessageCommand, by: str) -> Case:
    """Open a case for a message that a person reports, or join it.

    Raises ReportedMessageNotFoundError, AmbiguousMessageError.
    """
    try:
        revisions = await get_revisions(work, command.message_id, command.group_id)
    except MessageNotArchivedError as error:
        raise ReportedMessageNotFoundError(command.message_id) from error
    message = revisions[-1].to_screened()
    rule = (await get_group_context(work, message.group_id)).rules.review
    report = MessageReport(message.group_id, message.message_id, by, by_staff=True, note=command.note, day=0, rule=rule)
    opening = _report_opening(replace(report, category=command.category), message, work.now, trusted=True)
    await open_cases(work, [opening])
    return await get_case(work, opening.case_id)


async def credit_reporters(work: Work, member_ids: Sequence[str], *, upheld: bool) -> None:
    """Count for those who reported a message how their report ended."""
    await store.count_outcome(work, member_ids, upheld=upheld)


def _report_opening(report: MessageReport, message: Screened, now: datetime, *, trusted: bool) -> CaseOpening:
    worst = max(message.reasons, key=lambda reason: reason.severity, default=None)
    severity = max(worst.severity if worst else 0, _LEAST_SEVERITY)
    return CaseOpening(
        kind=CaseKind.REPORT,
        message=message,
        category=report.category or (worst.category if worst else REPORTED_CATEGORY),
        severity=severity,
        due_at=case_due_at(report.rule, severity, now),
        by=report.by,
        note=report.note,
        trusted=trusted,
        cause=report.cause,
    )

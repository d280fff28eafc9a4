"""Members and staff ask for a person's look: reports of messages, appeals against sanctions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from huiqun.channel.actions.context import ActionContext
from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import MessageEdited, MessageReceived, Role
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseKind, Screened, Verdict
from huiqun.privacy.text import mask_text
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Work
from moderation.archive import store as archive
from moderation.archive.handlers.supervising import UnknownMessageError as NotArchivedError
from moderation.archive.handlers.supervising import find_message
from moderation.archive.model import MessageRef
from moderation.archive.store.messages import screened
from moderation.cases.handlers.opening import open_cases
from moderation.cases.handlers.queue import load_case
from moderation.cases.model import AppealGrant, Case, Opening, Report, begins_with, case_id, due
from moderation.cases.store import cases, reporters
from moderation.enforcement import model as enforcement
from moderation.group_policies.handlers import get_policy_in_force
from moderation.groups.handlers import get_group
from moderation.metrics import REPORTS
from moderation.policies.sections.review import ReviewRule
from moderation.standing import store as standings
from moderation.standing.model import Standing, Strike

Messages = MessageReceived | MessageEdited
REPORTED = "reported"
_LEAST_SEVERITY = 2
_APPEAL_SEVERITY = 3
_HEARD = AddressedText("您好，您的申诉已收到。工作人员复核后，会私信告知您结果。")


class UnknownMessageError(LookupError):
    """There is no such message to report."""


class NothingToAppealError(LookupError):
    """The sanction has been taken back, or is so old that it counts no longer."""


class AppealedError(RuntimeError):
    """There is an appeal against this sanction already; `decided` says whether a person has looked at it."""

    def __init__(self, sanction_id: str, *, decided: bool) -> None:
        super().__init__(sanction_id)
        self.decided = decided


@dataclass(frozen=True, slots=True)
class Appeal:
    """A member's wish that a person looks at their sanction again; `note` is masked, `cause` is the message."""

    standing: Standing
    strike: Strike
    note: str
    rule: ReviewRule
    cause: Event | None = None

    @property
    def ref(self) -> MessageRef:
        """The message that was sanctioned."""
        return MessageRef(self.strike.message_id, self.standing.group_id)


async def receive_reports(work: Work, reports: Sequence[Report]) -> None:
    """Open a case for the messages that members report. A report acts by nothing else than a person's decision.

    Whose reports were mostly dismissed waits for a second reporter; who reports too often is passed over.
    """
    if not reports:
        return
    messages = await archive.latest(work, [report.ref for report in reports])
    known = await reporters.load(work, [report.by for report in reports if not report.by_staff])
    openings = []
    for report in reports:
        message = messages.get(report.ref)
        if message is None or message.member_id == report.by:
            REPORTS.labels(outcome="void").inc()
            continue
        trusted = report.by_staff
        if not report.by_staff:
            reporter = known[report.by]
            if not reporter.may_report(report.day, report.rule.reports_per_day):
                REPORTS.labels(outcome="over_limit").inc()
                continue
            trusted = reporter.trust >= report.rule.least_trust
        REPORTS.labels(outcome="taken").inc()
        openings.append(_opening(report, message, work.now, trusted=trusted))
    await reporters.save(work, known.values())
    await open_cases(work, openings)


@dataclass(frozen=True, slots=True)
class ReportMessageCommand:
    """What a person says of a message at their desk; without a group, of the one that has this id."""

    message_id: str
    group_id: str | None
    note: str
    category: str | None


async def report_message(work: Work, command: ReportMessageCommand, by: str) -> Case:
    """Open a case for a message that a person reports, or join it.

    Raises UnknownMessageError, AmbiguousMessageError.
    """
    try:
        revisions = await find_message(work, command.message_id, command.group_id)
    except NotArchivedError as error:
        raise UnknownMessageError(command.message_id) from error
    message = screened(revisions[-1])
    group = await get_group(work, message.group_id)
    rule = (await get_policy_in_force(work, group.settings)).rules.review
    report = Report(message.group_id, message.message_id, by, by_staff=True, note=command.note, day=0, rule=rule)
    opening = _opening(replace(report, category=command.category), message, work.now, trusted=True)
    await open_cases(work, [opening])
    return await load_case(work, opening.case_id)


async def receive_appeals(work: Work, appeals: Sequence[Appeal]) -> None:
    """Open a case for each sanction appealed against in the group, the first time, and say that it was heard."""
    opened = await _open_appeals(work, appeals)
    causes = {appeal.strike.sanction_id: appeal.cause for appeal in appeals}
    heard = [enforcement.word(case.group_id, case.member_id, _HEARD, work.now, new_id()) for case in opened]
    contexts = {
        word.action_id: ActionContext(causes.get(case.sanction_id)) for word, case in zip(heard, opened, strict=True)
    }
    if heard:
        await request_actions(work, *heard, contexts=contexts)


async def _open_appeals(work: Work, appeals: Sequence[Appeal]) -> list[Case]:
    if not appeals:
        return []
    messages = await archive.latest(work, [appeal.ref for appeal in appeals])
    openings = [
        Opening(
            kind=CaseKind.APPEAL,
            message=messages.get(appeal.ref) or _forgotten(appeal),
            category=appeal.strike.category,
            severity=_APPEAL_SEVERITY,
            due_at=due(appeal.rule, _APPEAL_SEVERITY, work.now),
            sanction_id=appeal.strike.sanction_id,
            by=appeal.standing.member_id,
            note=appeal.note,
            cause=appeal.cause,
        )
        for appeal in appeals
    ]
    return await open_cases(work, openings)


def _forgotten(appeal: Appeal) -> Screened:
    """What stands for a message that the archive keeps no longer: the sanction still does, and can be appealed."""
    return Screened(
        message_id=appeal.strike.message_id,
        group_id=appeal.standing.group_id,
        member_id=appeal.standing.member_id,
        role=Role.CUSTOMER,
        verdict=Verdict.BLOCK,
        policy_version="",
        lexicon_version="",
        masked_text="",
        sent_at=appeal.strike.at,
    )


async def appeal_by_link(work: Work, grant: AppealGrant, note: str) -> None:
    """Open a case for the sanction that a link is about; `note` is what a form says, and masked here.

    Raises NothingToAppealError, AppealedError.
    """
    standing, strike = await find_sanction(work, grant)
    group = await get_group(work, grant.group_id)
    rule = (await get_policy_in_force(work, group.settings)).rules.review
    await _open_appeals(work, [Appeal(standing, strike, mask_text(note), rule)])


async def find_sanction(reader: Reader, grant: AppealGrant) -> tuple[Standing, Strike]:
    """The sanction that a link is about. Raises NothingToAppealError, AppealedError."""
    standing = await standings.find(reader, grant.group_id, grant.member_id)
    strikes = standing.strikes if standing is not None else ()
    strike = next((each for each in strikes if each.sanction_id == grant.sanction_id), None)
    if standing is None or strike is None:
        raise NothingToAppealError(grant.sanction_id)
    appeal = await cases.find(reader, case_id(CaseKind.APPEAL, grant.sanction_id))
    if appeal is not None:
        raise AppealedError(grant.sanction_id, decided=appeal.decision is not None)
    return standing, strike


def appealable(standing: Standing, message_id: str | None) -> Strike | None:
    """The offence whose sanction a member means: the one in the message that they answer or quote, or else the last."""
    sanctioned = [strike for strike in standing.strikes if strike.sanction_id is not None]
    meant = [strike for strike in sanctioned if strike.message_id == message_id]
    return next(reversed(meant or sanctioned), None)


async def find_quoted(
    work: Work, event: Messages, standing: Standing, rule: ReviewRule, batch: Sequence[Screened]
) -> frozenset[str]:
    """The categories that a report or an appeal may quote and be no offence: those of the message it is about.

    `batch` is what was judged in this transaction before. An appeal may do so once for each sanction.
    """
    message = event.data
    if message.refers_to is not None and begins_with(message.text, rule.report_phrases):
        ref = MessageRef(message.refers_to, message.group_id, event.source)
        earlier = next((each for each in reversed(batch) if _ref_of(each) == ref), None)
        about = earlier or (await archive.latest(work, [ref])).get(ref)
        if about is None or about.member_id == message.sender.member_id:
            return frozenset()
        return frozenset(reason.category for reason in about.reasons)
    if begins_with(message.text, rule.appeal_phrases):
        strike = appealable(standing, message.refers_to)
        if strike is not None and await cases.load(work, case_id(CaseKind.APPEAL, strike.id)) is None:
            return frozenset({strike.category})
    return frozenset()


def _ref_of(message: Screened) -> MessageRef:
    return MessageRef(message.message_id, message.group_id, message.channel)


def _opening(report: Report, message: Screened, now: datetime, *, trusted: bool) -> Opening:
    worst = max(message.reasons, key=lambda reason: reason.severity, default=None)
    severity = max(worst.severity if worst else 0, _LEAST_SEVERITY)
    return Opening(
        kind=CaseKind.REPORT,
        message=message,
        category=report.category or (worst.category if worst else REPORTED),
        severity=severity,
        due_at=due(report.rule, severity, now),
        by=report.by,
        note=report.note,
        trusted=trusted,
        cause=report.cause,
    )

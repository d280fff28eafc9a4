"""Sanctioned members appeal, in the group or by a signed link; a person decides, and they are told the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.channel.actions.context import ActionContext, quote_message
from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action
from huiqun.contracts.channel.mentions import AddressedText
from huiqun.contracts.moderation import CaseKind, CaseOutcome, Screened
from huiqun.privacy.text import mask_text
from huiqun.store import Reader
from huiqun.work import Work
from moderation.appeals.model import (
    Appeal,
    AppealedError,
    AppealGrant,
    NothingToAppealError,
)
from moderation.archive.handlers import find_latest_revisions, find_revisions
from moderation.archive.model import MessageRef
from moderation.cases.handlers import find_case, open_cases
from moderation.cases.model import Case, CaseOpening, case_due_at, case_id_of
from moderation.channel_requests.model import ActionTerms, private_message
from moderation.group_policies.handlers import get_group_context
from moderation.groups.model import GroupRecord
from moderation.notices.model import Offence, offence_reason
from moderation.standings.handlers import find_standing
from moderation.standings.model import Standing, Strike

_SEVERITY: Final = 3
_RECEIVED_TEXT: Final = AddressedText("您好，您的申诉已收到。工作人员复核后，会私信告知您结果。")
_ANSWERS: Final[Mapping[CaseOutcome, str]] = {
    CaseOutcome.UPHELD: "您好，您的申诉已由工作人员复核，处罚维持不变。如需了解详情，请联系群主。",
    CaseOutcome.REVERSED: "您好，您的申诉已由工作人员复核，相关处罚已撤销，感谢您的反馈。",
    CaseOutcome.RECLASSIFIED: "您好，您的申诉已由工作人员复核，处罚原因更正为：{category}。",
}


def confirm_appeals(
    appeals: Sequence[Appeal], opened: Sequence[Case], now: datetime
) -> list[tuple[Action, ActionContext]]:
    """Return what tells members that their appeals were received, for those among the opened cases."""
    causes = {appeal.strike.sanction_id: appeal.cause for appeal in appeals}
    return [
        (
            private_message(case.group_id, case.member_id, _RECEIVED_TEXT, ActionTerms(now)),
            ActionContext(causes.get(case.sanction_id)),
        )
        for case in opened
        if case.kind is CaseKind.APPEAL
    ]


async def appeal_by_link(work: Work, grant: AppealGrant, note: str) -> None:
    """Open a case for the sanction that a link is about; `note` is what a form says, and masked here.

    Raises NothingToAppealError, AppealedError.
    """
    standing, strike = await get_appealable_sanction(work, grant)
    rule = (await get_group_context(work, grant.group_id)).rules.review
    appeal = Appeal(standing, strike, mask_text(note), rule)
    messages = await find_latest_revisions(work, [appeal.ref])
    await open_cases(work, appeal_openings([appeal], messages, work.now))


async def get_appealable_sanction(reader: Reader, grant: AppealGrant) -> tuple[Standing, Strike]:
    """The sanction that a link is about, and its member's standing. Raises NothingToAppealError, AppealedError."""
    standing = await find_standing(reader, grant.group_id, grant.member_id)
    strikes = standing.strikes if standing is not None else ()
    strike = next((each for each in strikes if each.sanction_id == grant.sanction_id), None)
    if standing is None or strike is None:
        raise NothingToAppealError(grant.sanction_id)
    appeal = await find_case(reader, case_id_of(CaseKind.APPEAL, grant.sanction_id))
    if appeal is not None:
        raise AppealedError(grant.sanction_id, decided=appeal.decision is not None)
    return standing, strike


@dataclass(frozen=True, slots=True)
class AppealSubject:
    """What a member may appeal against: the sanction, its reason in words, and the masked beginning of the message.

    `excerpt` is empty where the archive keeps the message no longer.
    """

    group: GroupRecord
    strike: Strike
    reason: str
    excerpt: str


async def read_appeal_subject(reader: Reader, grant: AppealGrant) -> AppealSubject:
    """Read what the page behind a link shows of its sanction. Raises NothingToAppealError, AppealedError."""
    _, strike = await get_appealable_sanction(reader, grant)
    context = await get_group_context(reader, grant.group_id)
    ref = MessageRef(strike.message_id, grant.group_id)
    revisions = (await find_revisions(reader, [ref])).get(ref)
    message = revisions[-1].to_screened() if revisions else None
    excerpt = quote_message(message.masked_text, message.sent_at).excerpt if message is not None else ""
    return AppealSubject(context.group, strike, offence_reason(strike.category, context.rules.wording), excerpt)


async def answer_appeal(work: Work, offence: Offence, outcome: CaseOutcome) -> None:
    """Tell a member what became of their appeal against the sanction on an offence, which is named as decided."""
    text = offence.compose_text(_ANSWERS[outcome])
    await request_actions(work, private_message(offence.group_id, offence.member_id, text, ActionTerms(work.now)))


def appeal_openings(
    appeals: Sequence[Appeal], messages: Mapping[MessageRef, Screened], now: datetime
) -> list[CaseOpening]:
    """Return the cases to open: one for each sanction, however often somebody appeals against it.

    `messages` are those that were sanctioned, as far as they are still there.
    """
    return [
        CaseOpening(
            kind=CaseKind.APPEAL,
            message=messages.get(appeal.ref) or appeal.message_substitute,
            category=appeal.strike.category,
            severity=_SEVERITY,
            due_at=case_due_at(appeal.rule, _SEVERITY, now),
            sanction_id=appeal.strike.sanction_id,
            by=appeal.standing.member_id,
            note=appeal.note,
            cause=appeal.cause,
        )
        for appeal in appeals
    ]

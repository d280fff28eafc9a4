"""Decide cases: each decision takes effect, is audited, announced, told to who asked for it, and kept as an example."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.context import NO_CONTEXT, quote_message
from huiqun.channel.actions.handlers import request_actions, withdraw_actions
from huiqun.channel.actions.store import find_actions
from huiqun.contracts.channel import Action, Role
from huiqun.contracts.channel.mentions import Mention, compose_text
from huiqun.contracts.moderation import CaseClosed, CaseKind, CaseOutcome, ClosedCase, SanctionKind, Verdict
from huiqun.runtime.ids import new_id
from huiqun.work import Work
from moderation.appeals.handlers import answer_appeal
from moderation.archive.handlers import find_latest_revisions, find_revisions
from moderation.archive.model import MessageRef
from moderation.cases.handlers import (
    get_case,
    list_undecided_cases,
    list_undecided_removals,
    open_cases,
    overdue_task_key,
    save_case,
)
from moderation.cases.model import REMOVAL_SEVERITY, Case, CaseDecision, CaseOpening, case_due_at
from moderation.casework.handlers import require_impartial
from moderation.casework.model import check_decidable_by
from moderation.channel_requests.model import ActionTerms, staff_task
from moderation.decisions.model import (
    MESSAGE_CASES,
    DecideCaseCommand,
    DecisionContext,
    NoProposalError,
    check_decision,
    close_case,
)
from moderation.examples.handlers import keep_example
from moderation.group_policies.handlers import get_group_context
from moderation.metrics import CASES_CLOSED
from moderation.notices.model import Offence, is_personal_data, personal_data_notice, staff_notice
from moderation.reports.handlers import credit_reporters
from moderation.sanctions.handlers import announce_sanction, request_removal, reverse_sanction
from moderation.sanctions.model import (
    AppealLink,
    SanctionTerms,
    delete_message_action,
    impose_sanction,
    offence_weight,
)
from moderation.standings.handlers import load_standing, save_standings
from moderation.standings.model import reclassify_strike

#: Raises if the case's version is not the one that the caller has seen.
VersionCheck = Callable[[int], None]


async def decide_case(
    work: Work,
    case_id: str,
    command: DecideCaseCommand,
    check_version: VersionCheck,
    appeal_link: AppealLink | None = None,
) -> Case:
    """Close a case and do what follows from the decision, all in this transaction.

    `appeal_link` makes the address at which the member can appeal against what is decided, where there is such a page.
    Raises CaseNotFoundError, CaseHeldError where somebody else holds it, CaseClosedError, SameCategoryError,
    OwnDecisionError, NoProposalError.
    """
    case = await get_case(work, case_id)
    check_version(case.version)
    check_decision(case, command)
    check_decidable_by(case, command.by, work.now)
    own = await require_impartial(work, case, command.by)
    context = await _load_context(work, case, command, appeal_link)
    action_id = await _APPLY_OUTCOME[command.outcome](work, context)
    if context.standing is not None:
        await save_standings(work, [context.standing])
    decision = CaseDecision(
        outcome=command.outcome,
        by=command.by,
        at=work.now,
        category=context.category,
        note=command.note,
        action_id=action_id,
    )
    closed = await _close_case(work, context, case, decision, own=own)
    for other in await _list_cases_settled_with(work, case, command.outcome):
        category = context.category if command.outcome is CaseOutcome.RECLASSIFIED else other.category
        unclaimed = other.model_copy(update={"lease": None})
        await _close_case(work, context, unclaimed, decision.model_copy(update={"category": category}))
    await keep_example(work, case, decision)
    return closed


async def _load_context(
    work: Work, case: Case, command: DecideCaseCommand, appeal_link: AppealLink | None
) -> DecisionContext:
    context = await get_group_context(work, case.group_id)
    rules = context.rules
    standing = None
    if case.role is Role.CUSTOMER and case.kind is not CaseKind.UNREADABLE:
        standing = await load_standing(work, case.group_id, case.member_id)
    settings, appeal = context.group.settings, rules.review.appeal_phrase
    terms = SanctionTerms(rules.ladder, settings.owner, appeal_link, appeal, mutes=settings.mutes)
    return DecisionContext(case, command, rules, terms, standing, work.now)


async def _list_cases_settled_with(work: Work, case: Case, outcome: CaseOutcome) -> list[Case]:
    """The other cases that the same decision answers, whoever holds them."""
    if case.kind is CaseKind.UNREADABLE:
        return []
    others = [other for other in await list_undecided_cases(work, case.ref) if other.id != case.id]
    if outcome is CaseOutcome.REVERSED:
        return others
    if case.kind in MESSAGE_CASES:
        return [other for other in others if other.kind in MESSAGE_CASES]
    if case.kind is CaseKind.REMOVAL and outcome is CaseOutcome.UPHELD:
        proposals = await list_undecided_removals(work, case.group_id, case.member_id)
        return [other for other in proposals if other.id != case.id]
    return []


async def _close_case(
    work: Work, context: DecisionContext, case: Case, decision: CaseDecision, *, own: bool = False
) -> Case:
    """Write the decision down wherever it has to stand; `own` says that an admin decided about their own decision."""
    closed = await save_case(work, close_case(case, decision))
    work.cancel(overdue_task_key(case))
    if case.kind is CaseKind.REPORT:
        await credit_reporters(work, case.reporters, upheld=decision.outcome is not CaseOutcome.REVERSED)
    if case.kind is CaseKind.APPEAL:
        await answer_appeal(work, context.offence, decision.outcome)
    if case.kind is CaseKind.REMOVAL and case.sanction_id is not None:
        # Or whoever was asked to decide would be reminded.
        asked = await find_actions(work, [case.sanction_id])
        await withdraw_actions(work, asked.values(), "decided", tells_assignees=False)
    data = ClosedCase(
        case_id=case.id,
        kind=case.kind,
        channel=case.channel,
        group_id=case.group_id,
        member_id=case.member_id,
        message_id=case.message_id,
        category=decision.category,
        outcome=decision.outcome,
        decided_by=decision.by.id,
        opened_at=case.opened_at,
    )
    work.emit(CaseClosed.create(case.group_id, data, time=work.now))
    # Without what was written and by whom: nothing is ever erased from the audit log.
    detail = {"kind": case.kind.value, "category": decision.category, "before": case.category, "policy": case.policy}
    if own:
        detail["own_decision"] = "yes"
    await append_audit_entry(
        work, AuditEntry(decision.by.id, f"case.{decision.outcome.value}", f"case/{case.id}", detail)
    )
    CASES_CLOSED.labels(kind=case.kind.value, outcome=decision.outcome.value).inc()
    return closed


async def _uphold_case(work: Work, context: DecisionContext) -> str | None:
    """A doubtful or reported message is an offence; a proposed removal is asked for; an appeal changes nothing.

    Returns the id of the action that removes the member.
    """
    case = context.case
    if case.kind in MESSAGE_CASES:
        await _enforce_offence(work, context)
    if case.kind is not CaseKind.REMOVAL or context.standing is None:
        return None
    offence = await _offence_with_message(work, context)
    return await request_removal(work, offence, context.command.by.name, case.sanction_id, context.terms.appeal_link)


async def _decline_case(_: Work, context: DecisionContext) -> None:
    """Nobody is removed; the offence stays, and the next one may lead to another proposal. Raises NoProposalError."""
    if context.case.kind is not CaseKind.REMOVAL:
        raise NoProposalError(context.case.kind.value)


async def _reverse_case(work: Work, context: DecisionContext) -> None:
    """Nothing was wrong: strike, sanction and open actions are taken back together."""
    case = context.case
    if context.standing is None:
        return
    reversed_sanction = await reverse_sanction(work, context.standing, case.ref)
    if reversed_sanction.member_removed and context.terms.owner is not None:
        words = "对成员 {member} 的处罚已撤销，但该成员已被移出群聊，请重新邀请其入群。"
        text = compose_text(words, member=Mention(case.member_id))
        await request_actions(work, staff_task(case.group_id, context.terms.owner, text, ActionTerms(work.now)))


async def _reclassify_case(work: Work, context: DecisionContext) -> None:
    """It was wrong, but in another way: the strike counts as that; where it now counts nothing, all is taken back."""
    standing, message_id = context.standing, context.case.message_id
    strike = standing.find_strike(message_id) if standing is not None else None
    if standing is None or strike is None:
        if context.case.kind in MESSAGE_CASES:
            await _enforce_offence(work, context)
        return
    blocked = context.case.verdict is not Verdict.WARN
    weight = offence_weight(context.category, context.rules.ladder, blocked=blocked)
    if weight > 0:
        reclassify_strike(standing, message_id, context.category, weight)
    else:
        await _reverse_case(work, context)


async def _enforce_offence(work: Work, context: DecisionContext) -> None:
    """Do what would have been done had the message been blocked at once."""
    case, offence = context.case, await _offence_with_message(work, context)
    if context.standing is None:
        if case.role is Role.STAFF:
            await request_actions(work, staff_notice(offence))
        return
    requests: list[Action] = []
    if case.verdict is not Verdict.BLOCK and not await _is_recalled(work, case.ref):
        requests.append(delete_message_action(offence, new_id()))
        if is_personal_data(offence.category):
            requests.append(personal_data_notice(offence))
    weight = offence_weight(offence.category, context.rules.ladder, blocked=True)
    imposed = impose_sanction(offence, weight, context.standing, context.terms)
    if imposed is not None:
        announce_sanction(work, imposed)
        requests += imposed.actions
        if imposed.step.kind is SanctionKind.REMOVAL_PROPOSED:
            await _propose_removal(work, context, imposed.sanction_id)
    contexts = dict.fromkeys([action.action_id for action in requests], offence.context)
    await request_actions(work, *requests, contexts=contexts)


async def _offence_with_message(work: Work, context: DecisionContext) -> Offence:
    """The offence with the message that it was, as people find it in the chat."""
    case = context.case
    message = (await find_latest_revisions(work, [case.ref])).get(case.ref)
    quoted = quote_message(case.text, message.sent_at) if message is not None else NO_CONTEXT
    return replace(context.offence, context=quoted)


async def _is_recalled(work: Work, ref: MessageRef) -> bool:
    """Whether there is nothing left to delete."""
    revisions = (await find_revisions(work, [ref])).get(ref, ())
    return any("recalled_by" in revision.document for revision in revisions)


async def _propose_removal(work: Work, context: DecisionContext, sanction_id: str) -> None:
    case = context.case
    message = (await find_latest_revisions(work, [case.ref])).get(case.ref)
    if message is not None:
        opening = CaseOpening(
            kind=CaseKind.REMOVAL,
            message=message,
            category=context.category,
            severity=REMOVAL_SEVERITY,
            due_at=case_due_at(context.rules.review, REMOVAL_SEVERITY, work.now),
            sanction_id=sanction_id,
        )
        await open_cases(work, [opening])


#: What each outcome leads to; returns the id of the action that removes the member, if one does.
_APPLY_OUTCOME: Final[Mapping[CaseOutcome, Callable[[Work, DecisionContext], Awaitable[str | None]]]] = {
    CaseOutcome.UPHELD: _uphold_case,
    CaseOutcome.REVERSED: _reverse_case,
    CaseOutcome.RECLASSIFIED: _reclassify_case,
    CaseOutcome.DECLINED: _decline_case,
}

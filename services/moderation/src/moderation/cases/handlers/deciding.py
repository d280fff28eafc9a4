"""Decide cases; each decision is audited, announced, told to who asked for it, and kept as an example."""

from collections.abc import Callable

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions, withdraw_actions
from huiqun.channel.actions.store import find_actions
from huiqun.contracts.channel import Role
from huiqun.contracts.moderation import CaseClosed, CaseKind, CaseOutcome, ClosedCase
from huiqun.runtime.ids import new_id
from huiqun.work import Work
from moderation.cases.handlers.following import ABOUT_THE_MESSAGE, Hearing, Ruling, follow
from moderation.cases.handlers.opening import overdue_key
from moderation.cases.handlers.queue import load_case, require_impartial
from moderation.cases.model import Case, Decision, check_decidable, close
from moderation.cases.store import cases, examples, reporters
from moderation.cases.store.examples import CLEAN, Example
from moderation.enforcement import model as enforcement
from moderation.enforcement.model import AppealLink, Terms
from moderation.metrics import CASES_CLOSED
from moderation.policies.handlers import find_group, policy_in_force
from moderation.standing import store as standings
from moderation.standing.model import key_of

#: Raises if the case's version is not the one that the caller has seen.
Check = Callable[[int], None]
_ANSWERS = {
    CaseOutcome.UPHELD: "您好，您的申诉已由工作人员复核，处罚维持不变。如需了解详情，请联系群主。",
    CaseOutcome.REVERSED: "您好，您的申诉已由工作人员复核，相关处罚已撤销，感谢您的反馈。",
    CaseOutcome.RECLASSIFIED: "您好，您的申诉已由工作人员复核，处罚原因更正为“{category}”。",
}


class SameCategoryError(ValueError):
    """The case is about this category already: uphold it instead."""


async def decide(work: Work, case_id: str, ruling: Ruling, check: Check, appeal_link: AppealLink | None = None) -> Case:
    """Close a case and do what follows from the decision, all in this transaction.

    `appeal_link` makes the address at which the member can appeal against what is decided, where there is such a page.
    Raises UnknownCaseError, CaseHeldError where somebody else holds it, CaseClosedError, SameCategoryError,
    OwnDecisionError, NoProposalError.
    """
    case = await load_case(work, case_id)
    check(case.version)
    if ruling.outcome is CaseOutcome.RECLASSIFIED and ruling.category == case.category:
        raise SameCategoryError(case.category)
    check_decidable(case, ruling.by, work.now)
    own = await require_impartial(work, case, ruling.by)
    hearing = await _open(work, case, ruling, appeal_link)
    action_id = await follow(hearing)
    if hearing.standing is not None:
        await standings.save(work, [hearing.standing])
    decision = Decision(
        outcome=ruling.outcome,
        by=ruling.by,
        at=work.now,
        category=hearing.category,
        note=ruling.note,
        action_id=action_id,
    )
    closed = await _close(hearing, case, decision, own=own)
    for other in await _settled_with(work, case, ruling.outcome):
        category = hearing.category if ruling.outcome is CaseOutcome.RECLASSIFIED else other.category
        free = other.model_copy(update={"lease": None})
        await _close(hearing, free, decision.model_copy(update={"category": category}))
    if case.text and case.kind is not CaseKind.UNREADABLE:  # what it shows is a word of ours
        await examples.keep(work, _example(case, decision))
    return closed


async def _open(work: Work, case: Case, ruling: Ruling, appeal_link: AppealLink | None) -> Hearing:
    group = await find_group(work, case.group_id)
    rules = (await policy_in_force(work, group.settings)).rules
    standing = None
    # Nobody else has one; and of what could not be read it is not known for sure who wrote it.
    if case.role is Role.CUSTOMER and case.kind is not CaseKind.UNREADABLE:
        known = await standings.load(work, [(case.group_id, case.member_id)])
        standing = known[key_of(case.group_id, case.member_id)]
    settings = group.settings
    appeal = rules.review.appeal_phrase
    terms = Terms(rules.ladder, settings.owner, appeal_link, appeal, mutes=settings.mutes)
    return Hearing(work, case, ruling, rules, terms, standing)


async def _answer(hearing: Hearing, case: Case) -> None:
    """Tell the member what became of their appeal."""
    text = hearing.offence.said(_ANSWERS[hearing.ruling.outcome])
    word = enforcement.word(case.group_id, case.member_id, text, hearing.work.now, new_id())
    await request_actions(hearing.work, word)


async def _settled_with(work: Work, case: Case, outcome: CaseOutcome) -> list[Case]:
    """The other cases that the same decision answers, whoever holds them."""
    others = [other for other in await cases.undecided_about(work, case.ref) if other.id != case.id]
    if case.kind is CaseKind.UNREADABLE:
        return []
    if outcome is CaseOutcome.REVERSED:
        return others
    if case.kind in ABOUT_THE_MESSAGE:
        return [other for other in others if other.kind in ABOUT_THE_MESSAGE]
    if case.kind is CaseKind.REMOVAL and outcome is CaseOutcome.UPHELD:
        proposals = await cases.undecided_removals(work, case.group_id, case.member_id)
        return [other for other in proposals if other.id != case.id]
    return []


async def _close(hearing: Hearing, case: Case, decision: Decision, *, own: bool = False) -> Case:
    """Write the decision down wherever it has to stand; `own` says that an admin decided about their own decision."""
    work, closed = hearing.work, close(case, decision)
    await cases.save(work, closed)
    work.cancel(overdue_key(case))
    if case.kind is CaseKind.REPORT:
        await reporters.credit(work, case.reporters, upheld=decision.outcome is not CaseOutcome.REVERSED)
    if case.kind is CaseKind.APPEAL:
        await _answer(hearing, case)
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


def _example(case: Case, decision: Decision) -> Example:
    return Example(
        text=case.text,
        label=CLEAN if decision.outcome is CaseOutcome.REVERSED else decision.category,
        suggested=case.category,
        case_id=case.id,
        kind=case.kind.value,
        policy=case.policy,
        decided_by=decision.by.id,
        decided_at=decision.at,
    )

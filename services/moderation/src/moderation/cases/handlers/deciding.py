"""Decide cases and do what follows: enforce, remove, undo, correct. Decisions are audited and kept as examples."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from huiqun.audit import AuditEntry, append
from huiqun.contracts.channel import Action, Role
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import CaseClosed, CaseKind, CaseOutcome, ClosedCase, SanctionKind, Verdict
from huiqun.runtime.ids import new_id
from huiqun.stream import Work
from moderation.archive import store as archive
from moderation.cases.handlers.opening import open_cases, overdue_timer
from moderation.cases.handlers.queue import load_case
from moderation.cases.model import (
    REMOVAL_SEVERITY,
    Case,
    Decision,
    Moderator,
    Opening,
    check_decidable,
    close,
    due,
    masked,
)
from moderation.cases.store import cases, examples, reporters
from moderation.cases.store.examples import CLEAN, Example
from moderation.enforcement import model as enforcement
from moderation.enforcement.handlers import impose, request_actions, undo
from moderation.enforcement.model import Offence, Terms
from moderation.metrics import CASES_CLOSED
from moderation.policies.handlers import find_group, policy_in_force
from moderation.policies.model import Rules
from moderation.standing import store as standings
from moderation.standing.model import Standing, key_of, reclassify

#: Raises if the case's version is not the one that the caller has seen.
Check = Callable[[int], None]
_ABOUT_THE_MESSAGE = frozenset({CaseKind.REVIEW, CaseKind.REPORT})
_ANSWERS = {
    CaseOutcome.UPHELD: "您好，您的申诉已由工作人员复核，处罚维持不变。如需了解详情，请联系群主。",
    CaseOutcome.REVERSED: "您好，您的申诉已由工作人员复核，相关处罚已撤销，感谢您的反馈。",
    CaseOutcome.RECLASSIFIED: "您好，您的申诉已由工作人员复核，处罚原因更正为“{category}”。",
}


class SameCategoryError(ValueError):
    """The case is about this category already: uphold it instead."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person decided; `category` is the right one where the case was about a wrong one."""

    outcome: CaseOutcome
    by: Moderator
    note: str = ""
    category: str | None = None


@dataclass(slots=True)
class Hearing:
    """A case being decided, with what the decision needs to know and changes."""

    work: Work
    case: Case
    ruling: Ruling
    rules: Rules
    owner: str | None
    standing: Standing | None

    @property
    def category(self) -> str:
        """The category as decided."""
        return self.ruling.category or self.case.category

    @property
    def offence(self) -> Offence:
        """What the member did, as decided."""
        case = self.case
        return Offence(
            case.group_id,
            case.member_id,
            case.message_id,
            self.category,
            display_name="",
            at=self.work.now,
            wording=self.rules.wording,
        )


async def decide(work: Work, case_id: str, ruling: Ruling, check: Check) -> Case:
    """Close a case and do what follows from the decision, all in this transaction.

    Raises UnknownCaseError, CaseHeldError where somebody else holds it, CaseClosedError, SameCategoryError.
    """
    case = await load_case(work, case_id)
    check(case.version)
    if ruling.outcome is CaseOutcome.RECLASSIFIED and ruling.category == case.category:
        raise SameCategoryError(case.category)
    check_decidable(case, ruling.by, work.now)
    hearing = await _open(work, case, ruling)
    action_id = await _FOLLOWS[ruling.outcome](hearing)
    if hearing.standing is not None:
        await standings.save(work, [hearing.standing])
    if case.kind is CaseKind.APPEAL:
        await _answer(hearing)
    decision = Decision(
        outcome=ruling.outcome,
        by=ruling.by,
        at=work.now,
        category=hearing.category,
        note=masked(ruling.note),
        action_id=action_id,
    )
    closed = await _close(work, case, decision)
    for other in await _settled_with(work, case, ruling.outcome):
        category = hearing.category if ruling.outcome is CaseOutcome.RECLASSIFIED else other.category
        free = other.model_copy(update={"lease": None})
        await _close(work, free, decision.model_copy(update={"category": category}))
    if case.text:
        await examples.keep(work, _example(case, decision))
    return closed


async def _open(work: Work, case: Case, ruling: Ruling) -> Hearing:
    group = await find_group(work.db, case.group_id, work.session)
    policy = await policy_in_force(work.db, group.settings, work.session)
    standing = None
    if case.role is Role.CUSTOMER:  # nobody else has one
        known = await standings.load(work, [(case.group_id, case.member_id)])
        standing = known[key_of(case.group_id, case.member_id)]
    return Hearing(work, case, ruling, policy.rules, group.settings.owner, standing)


async def _uphold(hearing: Hearing) -> str | None:
    """A doubtful or reported message is an offence; a proposed removal is asked for; an appeal changes nothing.

    Returns the id of the action that removes the member.
    """
    case = hearing.case
    if case.kind in _ABOUT_THE_MESSAGE:
        await _enforce(hearing)
    if case.kind is not CaseKind.REMOVAL or hearing.standing is None:
        return None
    removal = enforcement.removal(hearing.offence, hearing.ruling.by.name, new_id())
    await request_actions(hearing.work, [(removal, None)])
    return removal.action_id


async def _reverse(hearing: Hearing) -> None:
    """Nothing was wrong: strike, sanction and open actions are taken back together."""
    work, case = hearing.work, hearing.case
    if hearing.standing is None:
        return
    undone = await undo(work, hearing.standing, case.message_id)
    if undone.removed and hearing.owner is not None:
        text = f"对成员 {case.member_id} 的处罚已撤销，而该成员已被移出群聊，请重新邀请。"
        task = enforcement.task(case.group_id, hearing.owner, text, work.now, new_id())
        await request_actions(work, [(task, None)])


async def _reclassify(hearing: Hearing) -> None:
    """It was wrong, but in another way: the strike counts as that; where it now counts nothing, all is undone."""
    standing, message_id = hearing.standing, hearing.case.message_id
    strike = standing.strike_of(message_id) if standing is not None else None
    if standing is None or strike is None:
        if hearing.case.kind in _ABOUT_THE_MESSAGE:
            await _enforce(hearing)
        return
    blocked = hearing.case.verdict is not Verdict.WARN
    weight = enforcement.weight_of(hearing.category, hearing.rules.ladder, blocked=blocked)
    if weight > 0:
        reclassify(standing, message_id, hearing.category, weight)
    else:
        await _reverse(hearing)


_FOLLOWS: Mapping[CaseOutcome, Callable[[Hearing], Awaitable[str | None]]] = {
    CaseOutcome.UPHELD: _uphold,
    CaseOutcome.REVERSED: _reverse,
    CaseOutcome.RECLASSIFIED: _reclassify,
}


async def _enforce(hearing: Hearing) -> None:
    """Do what would have been done had the message been blocked at once."""
    work, case, offence = hearing.work, hearing.case, hearing.offence
    if hearing.standing is None:
        if case.role is Role.STAFF:
            await request_actions(work, [(enforcement.notice_to_staff(offence, new_id()), None)])
        return
    requests: list[tuple[Action, Event | None]] = []
    if case.verdict is not Verdict.BLOCK:
        requests.append((enforcement.deletion(offence, new_id()), None))
        if enforcement.is_personal(offence.category):
            requests.append((enforcement.caution(offence, new_id()), None))
    weight = enforcement.weight_of(offence.category, hearing.rules.ladder, blocked=True)
    terms = Terms(hearing.rules.ladder, hearing.owner, appeal_phrase=hearing.rules.review.appeal_phrase)
    imposed = impose(offence, weight, hearing.standing, terms, work)
    if imposed is not None:
        climb, action = imposed
        requests.append((action, None))
        if climb.kind is SanctionKind.REMOVAL_PROPOSED:
            await _propose_removal(hearing, action.action_id)
    await request_actions(work, requests)


async def _propose_removal(hearing: Hearing, sanction_id: str) -> None:
    work, case = hearing.work, hearing.case
    message = (await archive.latest(work, [case.message_id])).get(case.message_id)
    if message is not None:
        opening = Opening(
            kind=CaseKind.REMOVAL,
            message=message,
            category=hearing.category,
            severity=REMOVAL_SEVERITY,
            due_at=due(hearing.rules.review, REMOVAL_SEVERITY, work.now),
            sanction_id=sanction_id,
        )
        await open_cases(work, [opening])


async def _answer(hearing: Hearing) -> None:
    """Tell the member what became of their appeal."""
    case = hearing.case
    text = _ANSWERS[hearing.ruling.outcome].format(category=hearing.offence.named)
    word = enforcement.word(case.group_id, case.member_id, text, hearing.work.now, new_id())
    await request_actions(hearing.work, [(word, None)])


async def _settled_with(work: Work, case: Case, outcome: CaseOutcome) -> list[Case]:
    """The other cases that the same decision answers, whoever holds them."""
    others = [other for other in await cases.undecided_about(work, case.message_id) if other.id != case.id]
    if outcome is CaseOutcome.REVERSED:
        return others
    if case.kind in _ABOUT_THE_MESSAGE:
        return [other for other in others if other.kind in _ABOUT_THE_MESSAGE]
    if case.kind is CaseKind.REMOVAL and outcome is CaseOutcome.UPHELD:
        proposals = await cases.undecided_removals(work, case.group_id, case.member_id)
        return [other for other in proposals if other.id != case.id]
    return []


async def _close(work: Work, case: Case, decision: Decision) -> Case:
    """Write the decision down wherever it has to stand."""
    closed = close(case, decision)
    await cases.save(work, closed)
    work.cancel(overdue_timer(case))
    if case.kind is CaseKind.REPORT:
        await reporters.credit(work, case.reporters, upheld=decision.outcome is not CaseOutcome.REVERSED)
    data = ClosedCase(
        case_id=case.id,
        kind=case.kind,
        group_id=case.group_id,
        member_id=case.member_id,
        message_id=case.message_id,
        category=decision.category,
        outcome=decision.outcome,
        decided_by=decision.by.id,
        opened_at=case.opened_at,
    )
    work.emit(CaseClosed.about(case.group_id, data, time=work.now))
    # Without what was written and by whom: nothing is ever erased from the audit log.
    detail = {"kind": case.kind.value, "category": decision.category, "before": case.category, "policy": case.policy}
    await append(work, AuditEntry(decision.by.id, f"case.{decision.outcome.value}", f"case/{case.id}", detail))
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

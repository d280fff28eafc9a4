"""Take up a conflict: a word in the group, a private talk, or a group of their own."""

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action, Role
from huiqun.runtime.ids import new_id
from huiqun.work import Work
from moderation.cases.handlers.queue import load_case
from moderation.cases.model import Case, Moderator
from moderation.cases.model.mediation import Mediation, Where, involved, mediate, task_of, words_of
from moderation.cases.store import cases
from moderation.enforcement import model as enforcement
from moderation.policies.handlers import find_group


class NobodyToTalkToError(ValueError):
    """Staff and bots are spoken to as colleagues: the case is not about a customer."""


async def mediate_case(work: Work, case_id: str, mediation: Mediation, who: Moderator) -> Case:
    """Tell the members, and ask a staff member to talk to them; the case stays to be decided.

    Raises UnknownCaseError, CaseHeldError where somebody else holds it, CaseClosedError, NobodyToTalkToError.
    """
    case = await load_case(work, case_id)
    if case.role is not Role.CUSTOMER:
        raise NobodyToTalkToError(case.role.value)
    mediated = mediate(case, who, mediation, work.now)
    owner = (await find_group(work, case.group_id)).settings.owner
    await cases.save(work, mediated)
    await request_actions(work, *_actions(work, case, mediation, owner))
    # Without what was written: nothing is ever erased from the audit log.
    detail = {"where": mediation.where.value, "members": list(involved(case, mediation))}
    await append_audit_entry(work, AuditEntry(who.id, "case.mediated", f"case/{case.id}", detail))
    return mediated


def _actions(work: Work, case: Case, mediation: Mediation, owner: str | None) -> list[Action]:
    text = words_of(mediation)
    if mediation.where is Where.GROUP:
        return [enforcement.remark(case.group_id, case.member_id, text, work.now, new_id())]
    told = [
        enforcement.word(case.group_id, member_id, text, work.now, new_id()) for member_id in involved(case, mediation)
    ]
    task = task_of(case, mediation)
    if task is not None:
        told.append(enforcement.task(case.group_id, mediation.assignee or owner, task, work.now, new_id()))
    return told

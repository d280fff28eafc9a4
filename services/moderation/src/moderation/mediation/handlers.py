"""Take up a conflict: a word in the group, a private talk, or a group of their own."""

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.channel.actions.handlers import request_actions
from huiqun.contracts.channel import Action, Role
from huiqun.work import Work
from moderation.cases.handlers import get_case, save_case
from moderation.cases.model import Case, Moderator
from moderation.channel_requests.model import ActionTerms, group_message, private_message, staff_task
from moderation.groups.handlers import get_group
from moderation.mediation.model import (
    MediateCaseCommand,
    MediationPlace,
    involved_members,
    mediation_task,
    mediation_text,
    with_mediation,
)


class NobodyToTalkToError(ValueError):
    """Staff and bots are spoken to as colleagues: the case is not about a customer."""


async def mediate_case(work: Work, case_id: str, command: MediateCaseCommand, moderator: Moderator) -> Case:
    """Tell the members, and ask a staff member to talk to them; the case stays to be decided.

    Raises CaseNotFoundError, CaseHeldError where somebody else holds it, CaseClosedError, NobodyToTalkToError.
    """
    case = await get_case(work, case_id)
    if case.role is not Role.CUSTOMER:
        raise NobodyToTalkToError(case.role.value)
    mediated = await save_case(work, with_mediation(case, moderator, command, work.now))
    owner = (await get_group(work, case.group_id)).settings.owner
    await request_actions(work, *_mediation_actions(work, case, command, owner))
    # Without what was written: nothing is ever erased from the audit log.
    detail = {"where": command.where.value, "members": list(involved_members(case, command))}
    await append_audit_entry(work, AuditEntry(moderator.id, "case.mediated", f"case/{case.id}", detail))
    return mediated


def _mediation_actions(work: Work, case: Case, command: MediateCaseCommand, owner: str | None) -> list[Action]:
    text, terms = mediation_text(command), ActionTerms(work.now)
    if command.where is MediationPlace.GROUP:
        return [group_message(case.group_id, text, terms, case.member_id)]
    members = involved_members(case, command)
    actions = [private_message(case.group_id, member_id, text, terms) for member_id in members]
    task = mediation_task(case, command)
    if task is not None:
        actions.append(staff_task(case.group_id, command.assignee or owner, task, terms))
    return actions

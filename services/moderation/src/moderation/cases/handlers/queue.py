"""Work the queue: claim a case, give it back, comment on it."""

from huiqun.contracts.moderation import CaseKind
from huiqun.work import Work
from moderation.cases import model
from moderation.cases.model import Case, Moderator, OwnDecisionError
from moderation.cases.store import cases
from moderation.group_policies.handlers import get_policy_in_force
from moderation.groups.handlers import get_group
from moderation.policies.model import Policy


class UnknownCaseError(LookupError):
    """There is no such case."""


async def load_case(work: Work, case_id: str) -> Case:
    """The case; raises UnknownCaseError."""
    case = await cases.load(work, case_id)
    if case is None:
        raise UnknownCaseError(case_id)
    return case


async def claim(work: Work, case_id: str, who: Moderator) -> Case:
    """Hold the case for as long as its group's policy allows; who holds it already holds it anew.

    Raises UnknownCaseError, CaseHeldError, CaseClosedError, OwnDecisionError.
    """
    case = await load_case(work, case_id)
    await require_impartial(work, case, who)
    minutes = (await policy_of(work, case)).rules.review.lease_minutes
    return await _save(work, model.claim(case, who, work.now, minutes))


async def release(work: Work, case_id: str, who: Moderator) -> Case:
    """Give the case back to the queue. Raises UnknownCaseError, CaseHeldError, CaseClosedError."""
    return await _save(work, model.release(await load_case(work, case_id), who, work.now))


async def comment(work: Work, case_id: str, who: Moderator, text: str) -> Case:
    """Note something for whoever decides. Raises UnknownCaseError, CaseFullError."""
    return await _save(work, model.comment(await load_case(work, case_id), who, text, work.now))


async def require_impartial(work: Work, case: Case, who: Moderator) -> bool:
    """Refuse an appeal to whom it is against: OwnDecisionError. An admin may decide on it all the same: then True."""
    own = case.kind is CaseKind.APPEAL and await cases.judged_by(work, case.ref, who.id)
    if own and not who.admin:
        raise OwnDecisionError
    return own


async def policy_of(work: Work, case: Case) -> Policy:
    """The policy in force in the case's group."""
    group = await get_group(work, case.group_id)
    return await get_policy_in_force(work, group.settings)


async def _save(work: Work, case: Case) -> Case:
    await cases.save(work, case)
    return case

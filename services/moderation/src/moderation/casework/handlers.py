"""Work the queue: claim a case, give it back, comment on it."""

from huiqun.contracts.moderation import CaseKind
from huiqun.work import Work
from moderation.cases.handlers import get_case, has_decided_against, save_case
from moderation.cases.model import Case, Moderator
from moderation.casework.model import OwnDecisionError, with_claim, with_comment, without_claim
from moderation.group_policies.handlers import get_group_context


async def claim_case(work: Work, case_id: str, moderator: Moderator) -> Case:
    """Hold the case for as long as its group's policy allows; who holds it already holds it anew.

    Raises CaseNotFoundError, CaseHeldError, CaseClosedError, OwnDecisionError.
    """
    case = await get_case(work, case_id)
    await require_impartial(work, case, moderator)
    minutes = (await get_group_context(work, case.group_id)).rules.review.lease_minutes
    return await save_case(work, with_claim(case, moderator, work.now, minutes))


async def release_case(work: Work, case_id: str, moderator: Moderator) -> Case:
    """Give the case back to the queue. Raises CaseNotFoundError, CaseHeldError, CaseClosedError."""
    return await save_case(work, without_claim(await get_case(work, case_id), moderator, work.now))


async def comment_on_case(work: Work, case_id: str, moderator: Moderator, text: str) -> Case:
    """Note something for whoever decides. Raises CaseNotFoundError, CaseFullError."""
    return await save_case(work, with_comment(await get_case(work, case_id), moderator, text, work.now))


async def require_impartial(work: Work, case: Case, moderator: Moderator) -> bool:
    """Refuse an appeal to whom it is against: OwnDecisionError. An admin may decide on it all the same: then True."""
    own = case.kind is CaseKind.APPEAL and await has_decided_against(work, case.ref, moderator.id)
    if own and not moderator.admin:
        raise OwnDecisionError
    return own

"""Routes of casework: claim a case, give it back, comment on it."""

from typing import Annotated, Final

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from huiqun.privacy.text import MaskedText
from huiqun.web import Principal, Router, WriteOnce, require_role
from huiqun.web.problems import Problems
from moderation.cases.api import CasePath, CaseView, answer_with_case
from moderation.cases.model import Moderator
from moderation.casework import handlers
from moderation.casework.model import CaseClosedError, CaseFullError, CaseHeldError, OwnDecisionError

CASEWORK_PROBLEMS: Final[Problems] = {
    CaseHeldError: (409, "case-held"),
    CaseClosedError: (409, "case-closed"),
    OwnDecisionError: (403, "own-decision"),
}
router = Router(
    "/api/v1/cases", tag="cases", role="viewer", problems={**CASEWORK_PROBLEMS, CaseFullError: (409, "case-full")}
)


class CaseCommentBody(BaseModel):
    """Something for colleagues to know of a case."""

    text: Annotated[str, MaskedText(min_length=1, max_length=2_000)] = Field(
        description="Text of the comment.", examples=["已与客户电话核实"]
    )


def current_moderator(principal: Annotated[Principal, require_role("moderator")]) -> Moderator:
    """The caller, as cases know them."""
    return Moderator(id=principal.id, name=principal.name, admin=principal.may("admin"))


CurrentModerator = Annotated[Moderator, Depends(current_moderator)]


@router.post("/{case_id}/claim", summary="Claim a case, or hold it for longer", response_model=CaseView)
async def claim_case(case_id: CasePath, write: WriteOnce, moderator: CurrentModerator) -> Response:
    """Answers 409 while a colleague holds the case. The claim ends by itself."""
    return await write(answer_with_case(lambda work: handlers.claim_case(work, case_id, moderator)))


@router.post("/{case_id}/release", summary="Give a case back to the queue", response_model=CaseView)
async def release_case(case_id: CasePath, write: WriteOnce, moderator: CurrentModerator) -> Response:
    """Answers 409 while a colleague holds the case."""
    return await write(answer_with_case(lambda work: handlers.release_case(work, case_id, moderator)))


@router.post("/{case_id}/comments", summary="Comment on a case", status_code=201, response_model=CaseView)
async def comment_on_case(
    case_id: CasePath, comment: CaseCommentBody, write: WriteOnce, moderator: CurrentModerator
) -> Response:
    """Whoever is about to decide the case has to read the comment first: it changes the ETag."""
    return await write(answer_with_case(lambda work: handlers.comment_on_case(work, case_id, moderator, comment.text)))

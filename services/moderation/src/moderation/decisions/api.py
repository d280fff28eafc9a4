"""Routes of decisions: uphold, decline, reverse or reclassify a case."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from huiqun.contracts.moderation import CaseOutcome
from huiqun.privacy.links import SignedLinks
from huiqun.privacy.text import MaskedText
from huiqun.web import IdempotentWrite, IfMatch, Precondition, Router, WriteOnce
from huiqun.web.provided import provided
from moderation.appeals.model import appeal_link_maker
from moderation.cases.api import CasePath, CaseView, answer_with_case
from moderation.cases.model import Moderator
from moderation.casework.api import CASEWORK_PROBLEMS, CurrentModerator
from moderation.decisions.handlers import decide_case
from moderation.decisions.model import DecideCaseCommand, NoProposalError, SameCategoryError
from moderation.policies.sections.section import Category
from moderation.sanctions.model import AppealLink

router = Router(
    "/api/v1/cases",
    tag="cases",
    role="viewer",
    problems={
        **CASEWORK_PROBLEMS,
        SameCategoryError: (422, "same-category"),
        NoProposalError: (422, "no-proposal"),
    },
)


class DecisionBody(BaseModel):
    """Why a person decides a case so."""

    note: Annotated[str, MaskedText(max_length=2_000)] = Field(
        default="", description="The reason for the decision, for colleagues.", examples=["来源不明"]
    )


class ReclassificationBody(DecisionBody):
    """What the message of a case was about instead."""

    category: Category = Field(description="The right category.", examples=["ads"])


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A request to decide a case: by whom, and in which version they have seen it."""

    case_id: str
    moderator: Moderator
    seen: Precondition
    write: IdempotentWrite
    appeal_link: AppealLink | None

    async def decide(self, outcome: CaseOutcome, body: DecisionBody, category: str | None = None) -> Response:
        """Answer with the case as decided."""
        command = DecideCaseCommand(outcome, self.moderator, body.note, category)
        return await self.write(
            answer_with_case(lambda work: decide_case(work, self.case_id, command, self.seen.check, self.appeal_link))
        )


def decision_request(
    case_id: CasePath,
    seen: IfMatch,
    write: WriteOnce,
    moderator: CurrentModerator,
    links: Annotated[SignedLinks, provided(SignedLinks)],
) -> DecisionRequest:
    """What every decision takes."""
    return DecisionRequest(case_id, moderator, seen, write, appeal_link_maker(links))


RequestedDecision = Annotated[DecisionRequest, Depends(decision_request)]


@router.post("/{case_id}/uphold", summary="Uphold the finding, proposal or sanction of a case", response_model=CaseView)
async def uphold_case(body: DecisionBody, decision: RequestedDecision) -> Response:
    """A doubtful or reported message becomes an offence; a proposed removal is asked of the channel in your name."""
    return await decision.decide(CaseOutcome.UPHELD, body)


@router.post("/{case_id}/decline", summary="Decline a proposal to remove a member", response_model=CaseView)
async def decline_case(body: DecisionBody, decision: RequestedDecision) -> Response:
    """The member stays, and so does the offence; a proposal that rests on no offence is reversed instead."""
    return await decision.decide(CaseOutcome.DECLINED, body)


@router.post("/{case_id}/reverse", summary="Reverse a case in which nothing was wrong", response_model=CaseView)
async def reverse_case(body: DecisionBody, decision: RequestedDecision) -> Response:
    """The message's strike, sanction, mute and open actions are taken back together."""
    return await decision.decide(CaseOutcome.REVERSED, body)


@router.post("/{case_id}/reclassify", summary="Reclassify a case under another category", response_model=CaseView)
async def reclassify_case(body: ReclassificationBody, decision: RequestedDecision) -> Response:
    """The strike counts as the other category; where that counts nothing, all is taken back."""
    return await decision.decide(CaseOutcome.RECLASSIFIED, body, body.category)

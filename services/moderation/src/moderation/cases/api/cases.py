"""The review queue: list, claim, comment, decide."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import CaseKind, CaseOutcome
from huiqun.privacy.links import SignedLinks
from huiqun.privacy.text import MaskedText
from huiqun.web import (
    IdempotentWrite,
    IfMatch,
    Page,
    PageRequest,
    Paging,
    Precondition,
    Principal,
    ReadDatabase,
    Router,
    WriteOnce,
    WriteResult,
    require_role,
    set_etag,
)
from huiqun.work import Work
from moderation.cases.api.views import CaseView, Standing, view_of
from moderation.cases.handlers import queue
from moderation.cases.handlers.deciding import SameCategoryError, decide
from moderation.cases.handlers.following import NoProposalError, Ruling
from moderation.cases.handlers.queue import UnknownCaseError
from moderation.cases.model import (
    Case,
    CaseClosedError,
    CaseFullError,
    CaseHeldError,
    Moderator,
    OwnDecisionError,
    State,
    appeal_link_maker,
)
from moderation.cases.store import cases
from moderation.cases.store.cases import Filter, Order, Place, Stretch
from moderation.enforcement.model import AppealLink
from moderation.policies.model import Category

PROBLEMS = {
    UnknownCaseError: (404, "unknown-case"),
    CaseHeldError: (409, "case-held"),
    CaseClosedError: (409, "case-closed"),
    CaseFullError: (409, "case-full"),
    OwnDecisionError: (403, "own-decision"),
    SameCategoryError: (422, "same-category"),
    NoProposalError: (422, "no-proposal"),
}
router = Router("/api/v1/cases", tag="cases", role="viewer", problems=PROBLEMS)

CasePath = Annotated[
    str,
    Path(max_length=64, description="The case's id.", examples=["review-4f2a9c0d1e2b3a4f5c6d7e8f90a1b2c3"]),
]
InState = Annotated[
    Standing | None, Query(description="Only these; without it, what waits for a decision.", examples=["open"])
]
OfKind = Annotated[CaseKind | None, Query(description="Only of this kind.", examples=["appeal"])]
OfGroup = Annotated[Id | None, Query(description="Only of this group.", examples=["group-1"])]
OfCategory = Annotated[Category | None, Query(description="Only about this.", examples=["rumour"])]
Severe = Annotated[int | None, Query(ge=1, le=5, description="Only of this severity or more.", examples=[4])]
HeldBy = Annotated[
    str | None, Query(max_length=128, description="Only those this colleague holds.", examples=["key:1f0c"])
]
Late = Annotated[bool | None, Query(description="Only those that are overdue, or are not.", examples=[True])]
InOrder = Annotated[
    Order,
    Query(description="Oldest first, or the most severe first and the oldest of those.", examples=["severity"]),
]
AModerator = Annotated[Principal, require_role("moderator")]


class Judgement(BaseModel):
    """Why a person decides so."""

    note: Annotated[str, MaskedText(max_length=2_000)] = Field(
        default="", description="Why; for colleagues.", examples=["来源不明"]
    )


class Correction(Judgement):
    """What the message was about instead."""

    category: Category = Field(description="The right category.", examples=["ads"])


class NewComment(BaseModel):
    """Something for colleagues to know."""

    text: Annotated[str, MaskedText(min_length=1, max_length=2_000)] = Field(
        description="The comment.", examples=["已与客户电话核实"]
    )


def moderator(who: AModerator) -> Moderator:
    """The caller, as cases know them."""
    return Moderator(id=who.id, name=who.name, admin=who.may("admin"))


Me = Annotated[Moderator, Depends(moderator)]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the caller decides on a case."""

    case_id: str
    me: Moderator
    seen: Precondition
    write: IdempotentWrite
    appeal_link: AppealLink | None

    async def decide(self, outcome: CaseOutcome, judgement: Judgement, category: str | None = None) -> Response:
        """Answer with the case as decided."""
        ruling = Ruling(outcome, self.me, judgement.note, category)
        return await self.write(
            _answering(lambda work: decide(work, self.case_id, ruling, self.seen.check, self.appeal_link))
        )


def bench(request: Request, case_id: CasePath, seen: IfMatch, write: WriteOnce, me: Me) -> Bench:
    """What every decision takes."""
    return Bench(case_id, me, seen, write, appeal_link_maker(cast("SignedLinks", request.app.state.links)))


OnBench = Annotated[Bench, Depends(bench)]


def wanted(state: InState = None, kind: OfKind = None, group_id: OfGroup = None, category: OfCategory = None) -> Filter:
    """What the query asks for."""
    claimed = {"claimed": True, "open": False}.get(state or "")
    stored = State.OPEN if state in {None, "claimed"} else State(state)
    return Filter(state=stored, claimed=claimed, kind=kind, group_id=group_id, category=category)


def narrowed(
    found: Annotated[Filter, Depends(wanted)], severity: Severe = None, assignee: HeldBy = None, overdue: Late = None
) -> Filter:
    """The same, with how severe, in whose hands and how late."""
    return Filter(
        state=found.state,
        claimed=found.claimed,
        kind=found.kind,
        group_id=found.group_id,
        category=found.category,
        severity=severity,
        assignee=assignee,
        overdue=overdue,
    )


@router.get("", summary="List the cases")
async def list_cases(
    db: ReadDatabase, paging: Paging, which: Annotated[Filter, Depends(narrowed)], order: InOrder = "oldest"
) -> Page[CaseView]:
    """A page goes on in the order that its list began with."""
    now = datetime.now(UTC)
    stretch = Stretch(order, paging.limit + 1, _place(paging, order))
    found = await cases.page(db, which, stretch, now)
    return paging.page(found, lambda case: _keys(case, order), lambda case: view_of(case, now))


@router.get("/{case_id}", summary="Read a case")
async def read_case(db: ReadDatabase, case_id: CasePath, response: Response) -> CaseView:
    """Its ETag is what a decision has to send as If-Match."""
    case = await cases.find(db, case_id)
    if case is None:
        raise UnknownCaseError(case_id)
    set_etag(response, case.version)
    return view_of(case, datetime.now(UTC))


@router.post("/{case_id}/claim", summary="Claim a case, or hold it for longer", response_model=CaseView)
async def claim_case(case_id: CasePath, write: WriteOnce, me: Me) -> Response:
    """409 while a colleague holds it; the lease ends by itself."""
    return await write(_answering(lambda work: queue.claim(work, case_id, me)))


@router.post("/{case_id}/release", summary="Give a case back to the queue", response_model=CaseView)
async def release_case(case_id: CasePath, write: WriteOnce, me: Me) -> Response:
    """409 while a colleague holds it."""
    return await write(_answering(lambda work: queue.release(work, case_id, me)))


@router.post("/{case_id}/comments", summary="Comment on a case", status_code=201, response_model=CaseView)
async def comment_on_case(case_id: CasePath, comment: NewComment, write: WriteOnce, me: Me) -> Response:
    """Whoever is about to decide has to read it first: it changes the ETag."""
    return await write(_answering(lambda work: queue.comment(work, case_id, me, comment.text)))


@router.post("/{case_id}/uphold", summary="Uphold: the finding, the proposal, the sanction", response_model=CaseView)
async def uphold_case(judgement: Judgement, on: OnBench) -> Response:
    """A doubtful or reported message becomes an offence; a proposed removal is asked of the channel in your name."""
    return await on.decide(CaseOutcome.UPHELD, judgement)


@router.post("/{case_id}/decline", summary="Decline a proposal to remove a member", response_model=CaseView)
async def decline_case(judgement: Judgement, on: OnBench) -> Response:
    """The member stays, and so does the offence; a proposal that rests on no offence is reversed instead."""
    return await on.decide(CaseOutcome.DECLINED, judgement)


@router.post("/{case_id}/reverse", summary="Reverse: nothing was wrong", response_model=CaseView)
async def reverse_case(judgement: Judgement, on: OnBench) -> Response:
    """The message's strike, sanction, mute and open actions are taken back together."""
    return await on.decide(CaseOutcome.REVERSED, judgement)


@router.post("/{case_id}/reclassify", summary="Reclassify: it was something else", response_model=CaseView)
async def reclassify_case(correction: Correction, on: OnBench) -> Response:
    """The strike counts as the other category; where that counts nothing, all is taken back."""
    return await on.decide(CaseOutcome.RECLASSIFIED, correction, correction.category)


def _answering(use_case: Callable[[Work], Awaitable[Case]]) -> Callable[[Work], Awaitable[WriteResult]]:
    async def answer(work: Work) -> WriteResult:
        case = await use_case(work)
        return WriteResult(view_of(case, work.now), version=case.version)

    return answer


def _place(paging: PageRequest, order: Order) -> Place | None:
    """Where the page before ended; Problem 422 if that was in another order."""
    if order == "severity":
        return cast("Place | None", paging.after(int, datetime, str))
    keys = paging.after(datetime, str)
    return cast("Place", (None, *keys)) if keys else None


def _keys(case: Case, order: Order) -> tuple[datetime | int | str, ...]:
    by_age = (case.opened_at, case.id)
    return by_age if order == "oldest" else (case.severity, *by_age)

"""Routes of cases: the queue and its cases, as people who decide see them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal, cast

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import CaseKind, CaseOutcome, Verdict
from huiqun.web import Page, PageRequest, Paging, ReadDatabase, Router, WriteResult, set_etag
from huiqun.work import Work
from moderation.cases import store
from moderation.cases.handlers import get_case
from moderation.cases.model import Case, CaseState, Moderator
from moderation.cases.store import CaseCursor, CaseFilter, CaseOrder, CasePageRequest
from moderation.policies.sections.section import Category

router = Router("/api/v1/cases", tag="cases", role="viewer")

CaseStatus = Literal["waiting", "open", "claimed", "upheld", "reversed", "reclassified", "declined"]
CasePath = Annotated[
    str,
    Path(max_length=64, description="The id of the case.", examples=["review-4f2a9c0d1e2b3a4f5c6d7e8f90a1b2c3"]),
]
StateFilter = Annotated[
    CaseStatus | None,
    Query(description="Only cases in this state; without it, those that wait for a decision.", examples=["open"]),
]
KindFilter = Annotated[CaseKind | None, Query(description="Only cases of this kind.", examples=["appeal"])]
GroupFilter = Annotated[Id | None, Query(description="Only cases of this group.", examples=["group-1"])]
CategoryFilter = Annotated[Category | None, Query(description="Only cases about this category.", examples=["rumour"])]
SeverityFilter = Annotated[
    int | None, Query(ge=1, le=5, description="Only cases of this severity or more.", examples=[4])
]
AssigneeFilter = Annotated[
    str | None, Query(max_length=128, description="Only cases that this person holds.", examples=["key:1f0c"])
]
OverdueFilter = Annotated[
    bool | None, Query(description="Only cases that are overdue, or only those that are not.", examples=[True])
]
OrderOfCases = Annotated[
    CaseOrder,
    Query(description="Oldest first, or the most severe first and the oldest of those.", examples=["severity"]),
]


class ModeratorView(BaseModel):
    """A person who works on cases."""

    id: str = Field(description="The id of the person.", examples=["key:1f0c"])
    name: str = Field(description="The name of the person, as colleagues know it.", examples=["Anna"])


class CaseReasonView(BaseModel):
    """A rule that found something in the message of a case."""

    rule: str = Field(description="The rule of the policy that found something.", examples=["lexicon"])
    category: str = Field(description="The category of what was found.", examples=["rumour"])
    severity: int = Field(description="The severity of what was found, from 1 to 5.", examples=[3])
    confidence: float = Field(description="Confidence of the rule in its finding, from 0 to 1.", examples=[1.0])
    spans: list[tuple[int, int]] = Field(
        description="Where in the text it was found: pairs of start and end.", examples=[[[2, 8]]]
    )
    word: str | None = Field(
        default=None, description="The word that was found, after the name of its list.", examples=["huiqun/加薇"]
    )
    stream: str | None = Field(
        default=None, description="The reading of the text in which the word was found.", examples=["folded"]
    )


class CaseCommentView(BaseModel):
    """What somebody noted on a case."""

    by: ModeratorView = Field(description="The person who commented.")
    at: datetime = Field(description="The time of the comment.", examples=["2026-11-22T08:00:00Z"])
    text: str = Field(description="The comment, with personal data masked.", examples=["已与客户电话核实"])


class CaseEntryView(BaseModel):
    """Something that happened to a case."""

    at: datetime = Field(description="The time at which it happened.", examples=["2026-11-22T08:00:00Z"])
    what: str = Field(
        description="Name of the event: opened, reported, unreadable, revised, reopened, mediated_… or a decision.",
        examples=["opened"],
    )
    by: str = Field(
        description="The id of the member or colleague by whom it happened; empty for a rule.", examples=["member-2"]
    )
    note: str = Field(description="Remark of the actor, with personal data masked.", examples=["举报 发广告"])


class CaseDecisionView(BaseModel):
    """How a person decided a case."""

    outcome: CaseOutcome = Field(description="The outcome of the case.", examples=["upheld"])
    by: ModeratorView = Field(description="The person who decided.")
    at: datetime = Field(description="The time of the decision.", examples=["2026-11-22T08:30:00Z"])
    category: str = Field(description="The category as decided.", examples=["rumour"])
    note: str = Field(description="The reason for the decision, with personal data masked.", examples=["来源不明"])
    action_id: str | None = Field(
        description="The id of the removal that was asked of the channel.",
        examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"],
    )


class CaseView(BaseModel):
    """A question for a person, with all that is needed to answer it."""

    id: str = Field(description="The id of the case.", examples=["review-4f2a9c0d1e2b3a4f5c6d7e8f90a1b2c3"])
    kind: CaseKind = Field(description="The kind of the case: why a person has to look.", examples=["review"])
    state: CaseStatus = Field(
        description="The state of the case; claimed while somebody's lease runs.", examples=["open"]
    )
    group_id: str = Field(description="The id of the group.", examples=["group-1"])
    member_id: str = Field(description="The id of the member whose message it is.", examples=["member-1"])
    role: str = Field(description="The role of the member in the group.", examples=["customer"])
    message_id: str = Field(description="The id of the message.", examples=["msg-1"])
    revision: int = Field(description="The revision of the message, 0 as first sent.", examples=[0])
    verdict: Verdict = Field(description="How the rules judged the message.", examples=["review"])
    category: str = Field(description="The category that the case is about.", examples=["rumour"])
    severity: int = Field(description="The severity of the case, from 1 to 5.", examples=[3])
    reasons: list[CaseReasonView] = Field(description="The rules that found something in the message.")
    text: str = Field(description="The message, with personal data masked.", examples=["听说某市即将封城了"])
    policy: str = Field(description="The version of the policy that judged the message.", examples=["default@3"])
    count: int = Field(description="Of records that could not be read, how many there are; else 1.", examples=[1])
    sanction_id: str | None = Field(
        description="The id of the sanction that is appealed against or proposed.",
        examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"],
    )
    opened_at: datetime = Field(description="The time since which the case waits.", examples=["2026-11-22T08:00:00Z"])
    due_at: datetime = Field(
        description="The time by which the case should be decided.", examples=["2026-11-22T12:00:00Z"]
    )
    overdue: bool = Field(description="Whether that time passed without a decision.", examples=[False])
    holder: ModeratorView | None = Field(description="The person who has claimed the case.")
    held_until: datetime | None = Field(description="The end of the claim.", examples=["2026-11-22T08:15:00Z"])
    reporters: int = Field(description="Number of people who reported the message.", examples=[0])
    comments: list[CaseCommentView] = Field(description="What colleagues noted, oldest first.")
    history: list[CaseEntryView] = Field(description="What happened to the case, oldest first.")
    decision: CaseDecisionView | None = Field(description="How the case was decided.")
    version: int = Field(
        description="The version of the case, which is its ETag: rises with whatever a decision should know of.",
        examples=[2],
    )


def case_filter(
    state: StateFilter = None, kind: KindFilter = None, group_id: GroupFilter = None, category: CategoryFilter = None
) -> CaseFilter:
    """What the query asks for by state, kind, group and category."""
    claimed = {"claimed": True, "open": False}.get(state or "")
    stored = CaseState.OPEN if state in {None, "claimed"} else CaseState(state)
    return CaseFilter(state=stored, claimed=claimed, kind=kind, group_id=group_id, category=category)


def narrow_case_filter(
    found: Annotated[CaseFilter, Depends(case_filter)],
    severity: SeverityFilter = None,
    assignee: AssigneeFilter = None,
    overdue: OverdueFilter = None,
) -> CaseFilter:
    """The same, with how severe, in whose hands and how late."""
    return replace(found, severity=severity, assignee=assignee, overdue=overdue)


@router.get("", summary="List cases")
async def list_cases(
    db: ReadDatabase,
    paging: Paging,
    which: Annotated[CaseFilter, Depends(narrow_case_filter)],
    order: OrderOfCases = "oldest",
) -> Page[CaseView]:
    """A page goes on in the order that its list began with."""
    now = datetime.now(UTC)
    part = CasePageRequest(order, paging.limit + 1, _cursor(paging, order))
    found = await store.list_cases(db, which, part, now)
    return paging.page(found, lambda case: _cursor_keys(case, order), lambda case: view_case(case, now))


@router.get("/{case_id}", summary="Read a case")
async def read_case(db: ReadDatabase, case_id: CasePath, response: Response) -> CaseView:
    """The ETag is what a decision on the case has to send as If-Match."""
    case = await get_case(db, case_id)
    set_etag(response, case.version)
    return view_case(case, datetime.now(UTC))


def answer_with_case(use_case: Callable[[Work], Awaitable[Case]]) -> Callable[[Work], Awaitable[WriteResult]]:
    """Answer a write with the case that its use case returns, and the case's version as the ETag."""

    async def answer(work: Work) -> WriteResult:
        case = await use_case(work)
        return WriteResult(view_case(case, work.now), version=case.version)

    return answer


def view_case(case: Case, now: datetime) -> CaseView:
    """The case as it stands now."""
    holder = case.holder_at(now)
    return CaseView(
        **case.model_dump(include=_SAME_FIELDS),
        state="claimed" if case.state is CaseState.OPEN and holder else case.state.value,
        holder=_view_moderator(holder) if holder else None,
        held_until=case.lease.until if case.lease and holder else None,
        reporters=len(case.reporters),
    )


_SAME_FIELDS = set(CaseView.model_fields) - {"state", "holder", "held_until", "reporters"}


def _view_moderator(moderator: Moderator) -> ModeratorView:
    return ModeratorView(id=moderator.id, name=moderator.name)


def _cursor(paging: PageRequest, order: CaseOrder) -> CaseCursor | None:
    """Where the page before ended; Problem 422 if that was in another order."""
    if order == "severity":
        return cast("CaseCursor | None", paging.after(int, datetime, str))
    keys = paging.after(datetime, str)
    return cast("CaseCursor", (None, *keys)) if keys else None


def _cursor_keys(case: Case, order: CaseOrder) -> tuple[datetime | int | str, ...]:
    by_age = (case.opened_at, case.id)
    return by_age if order == "oldest" else (case.severity, *by_age)

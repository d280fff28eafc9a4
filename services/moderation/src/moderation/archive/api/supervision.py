"""For supervisors: draw a sample of messages, and say what is to be said of one."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import ComparedText, MaskedText
from huiqun.web import Problem, ReadDatabase, Router, WriteOnce, WriteResult
from huiqun.web.problems import locate_field_error
from huiqun.work import Work
from moderation.archive.api.access import Auditor
from moderation.archive.api.messages import MESSAGE_PROBLEMS, InGroup, RevisionView, revision_view
from moderation.archive.api.reviews import ReviewView, review_view
from moderation.archive.handlers.supervising import (
    ReviewMessageCommand,
    SampleOrder,
    TooManyMessagesError,
    draw_sample,
    review_message,
)
from moderation.archive.store import reviews as store
from moderation.archive.store.reviews import Outcome

router = Router(
    "/api/v1/messages",
    tag="archive",
    role="auditor",
    problems={**MESSAGE_PROBLEMS, TooManyMessagesError: (422, "too-many-messages")},
)

_LONGEST: Final = timedelta(days=93)
MessagePath = Annotated[Id, Path(description="The message's id.", examples=["msg-1"])]
Seed = Annotated[
    str,
    ComparedText(min_length=1, max_length=100),
    Query(description="What the sample depends on.", examples=["2026-Q4"]),
]
From = Annotated[
    Instant,
    Query(alias="from", description="Sent then or later, with an offset.", examples=["2026-11-01T00:00:00+08:00"]),
]
To = Annotated[
    Instant,
    Query(alias="to", description="Sent before then, at most 93 days later.", examples=["2026-12-01T00:00:00+08:00"]),
]
Groups = Annotated[
    list[Id] | None,
    Query(alias="group_id", max_length=100, description="Only these groups; else all.", examples=[["group-1"]]),
]
ByGroup = Annotated[
    bool, Query(description="Give each group the same share, as far as it has messages.", examples=[True])
]
Size = Annotated[int, Query(ge=1, le=500, description="How many messages to draw.", examples=[50])]


class SampledView(BaseModel):
    """A message that was drawn."""

    message: RevisionView = Field(description="The message as first sent.")
    reviews: list[ReviewView] = Field(description="What supervisors have said of it, oldest first.")


class SampleView(BaseModel):
    """A sample: lowest rank first. A larger one of the same seed begins with it."""

    seed: str = Field(description="The seed it was drawn with.", examples=["2026-Q4"])
    population: int = Field(description="From how many messages it was drawn.", examples=[18_211])
    items: list[SampledView] = Field(description="What was drawn.")


class Opinion(BaseModel):
    """What a supervisor says of a message."""

    outcome: Outcome = Field(description="Whether it is as it should be.", examples=["concern"])
    note: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="Why; personal data in it is masked.", examples=["承诺了收益"]
    )


class Reviews(BaseModel):
    """What supervisors said of one message."""

    items: list[ReviewView] = Field(description="Oldest first.")


def sample_order(seed: Seed, since: From, until: To, by_group: ByGroup = False, size: Size = 50) -> SampleOrder:  # noqa: FBT002 - a query has no keywords
    """What is to be drawn, without the groups."""
    if not timedelta() < until - since <= _LONGEST:
        errors = [locate_field_error(("query", "to"), "It is later than from, and by 93 days at most.")]
        raise Problem(422, "invalid-request", "The request is not valid.", errors=errors)
    return SampleOrder(seed, size, since, until, by_group=by_group)


@router.get("/sample", summary="Draw a sample of messages, the same one for the same seed")
async def draw_messages(
    db: ReadDatabase, order: Annotated[SampleOrder, Depends(sample_order)], groups: Groups = None
) -> SampleView:
    """Ranked by BLAKE2b of seed and message id, so that anybody can draw it again and nobody can choose."""
    chosen = SampleOrder(order.seed, order.size, order.since, order.until, tuple(groups or ()), order.by_group)
    sample = await draw_sample(db, chosen)
    items = [
        SampledView(message=revision_view(each), reviews=list(map(review_view, sample.reviews.get(each.key.ref, ()))))
        for each in sample.drawn
    ]
    return SampleView(seed=order.seed, population=sample.population, items=items)


@router.post(
    "/{message_id}/reviews", summary="Say what is to be said of a message", status_code=201, response_model=ReviewView
)
async def add_review(
    message_id: MessagePath, opinion: Opinion, write: WriteOnce, who: Auditor, group_id: InGroup = None
) -> Response:
    """Opinions are added, never replaced; each is audited."""
    command = ReviewMessageCommand(message_id, group_id, opinion.outcome, opinion.note)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(review_view(await review_message(work, command, who.id)))

    return await write(use_case)


@router.get("/{message_id}/reviews", summary="List what supervisors said of a message")
async def list_reviews_of(db: ReadDatabase, message_id: MessagePath, group_id: InGroup = None) -> Reviews:
    """Also of one that has expired; without a group, of those of every group that have this id."""
    return Reviews(items=list(map(review_view, await store.of_id(db, message_id, group_id))))

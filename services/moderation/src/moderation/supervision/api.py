"""For supervisors: draw a sample of messages, review one, read the reviews, find who wrote a piece of personal data."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Body, Depends, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.detection import PersonalDataKind
from huiqun.privacy.keys import RotatingKey
from huiqun.privacy.text import ComparedText, MaskedText, RawText
from huiqun.web import (
    Page,
    Paging,
    Principal,
    Problem,
    ReadDatabase,
    Router,
    TransactOnce,
    WriteOnce,
    WriteResult,
    read_only,
    require_role,
)
from huiqun.web.problems import locate_field_error
from huiqun.web.provided import provided
from huiqun.work import Work
from moderation.archive.api import MESSAGE_PROBLEMS, GroupOfMessage, MessagePath, RevisionView, place_in, revision_view
from moderation.archive.model import NoPersonalDataError
from moderation.supervision import store
from moderation.supervision.handlers import (
    DrawSampleCommand,
    LookUpPersonalDataCommand,
    ReviewMessageCommand,
    TooManyMessagesError,
    draw_sample,
    look_up_personal_data,
    review_message,
)
from moderation.supervision.model import MessageReview, ReviewOutcome

router = Router(
    "/api/v1/messages",
    tag="supervision",
    role="auditor",
    problems={
        **MESSAGE_PROBLEMS,
        TooManyMessagesError: (422, "too-many-messages"),
        NoPersonalDataError: (422, "no-personal-data"),
    },
)
reviews_router = Router("/api/v1/message-reviews", tag="supervision", role="auditor")

_LONGEST: Final = timedelta(days=93)


HashKey = Annotated[RotatingKey, provided(RotatingKey)]  # of the hashes of personal data
Auditor = Annotated[Principal, require_role("auditor")]
Seed = Annotated[
    str,
    ComparedText(min_length=1, max_length=100),
    Query(description="The seed on which the sample depends.", examples=["2026-Q4"]),
]
SampledSince = Annotated[
    Instant,
    Query(
        alias="from",
        description="Draw from messages sent then or later; a moment with an offset.",
        examples=["2026-11-01T00:00:00+08:00"],
    ),
]
SampledUntil = Annotated[
    Instant,
    Query(
        alias="to",
        description="Draw from messages sent before then, at most 93 days later; a moment with an offset.",
        examples=["2026-12-01T00:00:00+08:00"],
    ),
]
SampledGroups = Annotated[
    list[Id] | None,
    Query(
        alias="group_id",
        max_length=100,
        description="Draw only from the messages of these groups; without any, of all groups.",
        examples=[["group-1"]],
    ),
]
ByGroup = Annotated[
    bool, Query(description="Give each group the same share of the sample, as far as it has messages.", examples=[True])
]
SampleSize = Annotated[int, Query(ge=1, le=500, description="Number of messages to draw.", examples=[50])]
ReviewedGroup = Annotated[
    Id | None,
    Query(alias="group_id", description="Only reviews of messages of this group.", examples=["group-1"]),
]
WithOutcome = Annotated[
    ReviewOutcome | None,
    Query(alias="outcome", description="Only reviews with this outcome.", examples=["concern"]),
]


class MessageReviewView(BaseModel):
    """What a supervisor said of a message."""

    id: str = Field(description="The review's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    message_id: str = Field(description="The message that was reviewed.", examples=["msg-1"])
    group_id: str = Field(description="The group of the message.", examples=["group-1"])
    outcome: ReviewOutcome = Field(
        description="Whether the message is as it should be, or gives cause for concern.", examples=["concern"]
    )
    note: str = Field(
        description="What the supervisor said of the message, with personal data masked.", examples=["承诺了收益"]
    )
    reviewed_by: str = Field(description="The supervisor who reviewed the message.", examples=["key:5f2a9c01d4e8b7a3"])
    reviewed_at: datetime = Field(description="Moment the message was reviewed.", examples=["2026-11-22T08:00:00Z"])


class MessageReviewsView(BaseModel):
    """What supervisors said of one message."""

    items: list[MessageReviewView] = Field(description="The reviews of the message, oldest first.")


class ReviewDraft(BaseModel):
    """What a supervisor says of a message."""

    outcome: ReviewOutcome = Field(
        description="Whether the message is as it should be, or gives cause for concern.", examples=["concern"]
    )
    note: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="",
        description="What there is to say of the message; personal data in it is masked.",
        examples=["承诺了收益"],
    )


class SampledMessageView(BaseModel):
    """A message that was drawn."""

    message: RevisionView = Field(description="The message as first sent.")
    reviews: list[MessageReviewView] = Field(description="What supervisors have said of the message, oldest first.")


class MessageSampleView(BaseModel):
    """A sample of messages: lowest rank first. A larger one of the same seed begins with it."""

    seed: str = Field(description="The seed with which the sample was drawn.", examples=["2026-Q4"])
    population: int = Field(description="From how many messages the sample was drawn.", examples=[18_211])
    items: list[SampledMessageView] = Field(description="The messages that were drawn.")


class PersonalDataQuestion(BaseModel):
    """Which piece of personal data is looked for."""

    value: Annotated[str, RawText(min_length=1, max_length=200)] = Field(
        description="The value that is looked for, in any spelling.", examples=["6222 0210 0112 2334 409"]
    )
    kind: PersonalDataKind = Field(description="The kind of personal data that the value is.", examples=["bank_card"])


def sample_command(
    seed: Seed,
    since: SampledSince,
    until: SampledUntil,
    by_group: ByGroup = False,  # noqa: FBT002 - a query has no keywords
    size: SampleSize = 50,
) -> DrawSampleCommand:
    """What is to be drawn, without the groups."""
    if not timedelta() < until - since <= _LONGEST:
        errors = [locate_field_error(("query", "to"), "It is later than from, and by 93 days at most.")]
        raise Problem(422, "invalid-request", "The request is not valid.", errors=errors)
    return DrawSampleCommand(seed, size, since, until, by_group=by_group)


@router.post("/lookup", summary="Find the messages that held a piece of personal data", dependencies=[read_only()])
async def find_messages_with_personal_data(
    question: Annotated[PersonalDataQuestion, Body()], paging: Paging, audited: TransactOnce, key: HashKey, who: Auditor
) -> Page[RevisionView]:
    """Over all groups, in order of time. Each question is audited, with a keyed hash in place of the value."""
    command = LookUpPersonalDataCommand(question.value, question.kind, place_in(paging), paging.limit + 1)
    found = await audited(lambda work: look_up_personal_data(work, command, key, who.id))
    return paging.page(found, lambda each: each.place, revision_view)


@router.get("/sample", summary="Draw a sample of messages, the same one for the same seed")
async def draw_message_sample(
    db: ReadDatabase, command: Annotated[DrawSampleCommand, Depends(sample_command)], groups: SampledGroups = None
) -> MessageSampleView:
    """Ranked by BLAKE2b of seed and message id, so that anybody can draw it again and nobody can choose."""
    sample = await draw_sample(db, replace(command, groups=tuple(groups or ())))
    items = [
        SampledMessageView(message=revision_view(each), reviews=list(map(_view, sample.reviews.get(each.key.ref, ()))))
        for each in sample.messages
    ]
    return MessageSampleView(seed=command.seed, population=sample.population, items=items)


@router.post("/{message_id}/reviews", summary="Review a message", status_code=201, response_model=MessageReviewView)
async def add_message_review(
    message_id: MessagePath, draft: ReviewDraft, write: WriteOnce, who: Auditor, group_id: GroupOfMessage = None
) -> Response:
    """Opinions are added, never replaced; each is audited."""
    command = ReviewMessageCommand(message_id, group_id, draft.outcome, draft.note)

    async def use_case(work: Work) -> WriteResult:
        return WriteResult(_view(await review_message(work, command, who.id)))

    return await write(use_case)


@router.get("/{message_id}/reviews", summary="List the reviews of a message")
async def list_reviews_of_message(
    db: ReadDatabase, message_id: MessagePath, group_id: GroupOfMessage = None
) -> MessageReviewsView:
    """Also of one that has expired; without a group, of those of every group that have this id."""
    return MessageReviewsView(items=list(map(_view, await store.list_reviews_of_id(db, message_id, group_id))))


@reviews_router.get("", summary="List the reviews of all messages")
async def list_message_reviews(
    db: ReadDatabase, paging: Paging, group_id: ReviewedGroup = None, outcome: WithOutcome = None
) -> Page[MessageReviewView]:
    """Newest first."""
    found = await store.list_reviews(db, group_id, outcome, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda review: (review.id,), _view)


def _view(review: MessageReview) -> MessageReviewView:
    return MessageReviewView(
        id=review.id,
        message_id=review.ref.message_id,
        group_id=review.ref.group_id,
        outcome=review.outcome,
        note=review.note,
        reviewed_by=review.reviewed_by,
        reviewed_at=review.reviewed_at,
    )

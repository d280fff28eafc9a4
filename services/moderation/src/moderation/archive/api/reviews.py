"""What supervisors said of messages: over all of them, newest first."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.web import Page, Paging, ReadDatabase, Router
from moderation.archive.store import reviews as store
from moderation.archive.store.reviews import Outcome, Review

router = Router("/api/v1/message-reviews", tag="archive", role="auditor")

OfGroup = Annotated[Id | None, Query(description="Only on messages of this group.", examples=["group-1"])]
WithOutcome = Annotated[Outcome | None, Query(description="Only those that say so.", examples=["concern"])]


class ReviewView(BaseModel):
    """What a supervisor said of a message."""

    id: str = Field(description="The review's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    message_id: str = Field(description="The message.", examples=["msg-1"])
    group_id: str = Field(description="Its group.", examples=["group-1"])
    outcome: Outcome = Field(description="Whether it is as it should be.", examples=["concern"])
    note: str = Field(description="Why, with personal data masked.", examples=["承诺了收益"])
    reviewed_by: str = Field(description="Who said so.", examples=["key:5f2a9c01d4e8b7a3"])
    reviewed_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])


@router.get("", summary="List what supervisors said of messages")
async def list_reviews(
    db: ReadDatabase, paging: Paging, group_id: OfGroup = None, outcome: WithOutcome = None
) -> Page[ReviewView]:
    """Newest first."""
    found = await store.listed(db, group_id, outcome, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda review: (review.id,), review_view)


def review_view(review: Review) -> ReviewView:
    """What people see of a review."""
    return ReviewView(
        id=review.id,
        message_id=review.ref.message_id,
        group_id=review.ref.group_id,
        outcome=review.outcome,
        note=review.note,
        reviewed_by=review.reviewed_by,
        reviewed_at=review.reviewed_at,
    )

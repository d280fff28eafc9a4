"""What supervisors said of messages, in MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from huiqun.store import Database, Index
from huiqun.stream import Work

REVIEWS = "message_reviews"
INDEXES: Mapping[str, Sequence[Index]] = {
    REVIEWS: (
        Index((("message_id", 1), ("_id", 1))),
        Index((("reviewed_at", 1),), expires_after=timedelta(days=5 * 366)),
    )
}
Outcome = Literal["ok", "concern"]


@dataclass(frozen=True, slots=True)
class Review:
    """A supervisor looked at a message."""

    id: str
    message_id: str
    group_id: str
    outcome: Outcome
    note: str
    reviewed_by: str
    reviewed_at: datetime


async def add(work: Work, review: Review) -> None:
    """Keep a review."""
    document = {
        "_id": review.id,
        "message_id": review.message_id,
        "group_id": review.group_id,
        "outcome": review.outcome,
        "note": review.note,
        "reviewed_by": review.reviewed_by,
        "reviewed_at": review.reviewed_at,
    }
    await work.db[REVIEWS].insert_one(document, session=work.session)


async def of_messages(database: Database, message_ids: Sequence[str]) -> dict[str, list[Review]]:
    """The reviews of these messages by message id, oldest first."""
    found: dict[str, list[Review]] = {}
    async for document in database[REVIEWS].find({"message_id": {"$in": list(message_ids)}}).sort("_id", 1):
        found.setdefault(document["message_id"], []).append(_review(document))
    return found


async def listed(
    database: Database, group_id: str | None, outcome: Outcome | None, after: str | None, limit: int
) -> list[Review]:
    """The reviews, newest first, after the given one."""
    wanted = {"group_id": group_id, "outcome": outcome, "_id": {"$lt": after} if after else None}
    query = {name: value for name, value in wanted.items() if value is not None}
    return [_review(document) async for document in database[REVIEWS].find(query).sort("_id", -1).limit(limit)]


def _review(document: Mapping[str, Any]) -> Review:
    return Review(
        document["_id"],
        document["message_id"],
        document["group_id"],
        document["outcome"],
        document["note"],
        document["reviewed_by"],
        document["reviewed_at"],
    )

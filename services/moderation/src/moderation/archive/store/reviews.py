"""What supervisors said of messages, in MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.archive.model import MessageRef

REVIEWS = "message_reviews"
INDEXES: Mapping[str, Sequence[Index]] = {
    REVIEWS: (
        Index((("message_id", 1), ("group_id", 1), ("_id", 1))),
        Index((("reviewed_at", 1),), expires_after=timedelta(days=5 * 366)),
    )
}
Outcome = Literal["ok", "concern"]


@dataclass(frozen=True, slots=True)
class Review:
    """A supervisor looked at a message."""

    id: str
    ref: MessageRef
    outcome: Outcome
    note: str
    reviewed_by: str
    reviewed_at: datetime


async def add(work: Work, review: Review) -> None:
    """Keep a review."""
    document = {
        "_id": review.id,
        "message_id": review.ref.message_id,
        "group_id": review.ref.group_id,
        "channel": review.ref.channel,
        "outcome": review.outcome,
        "note": review.note,
        "reviewed_by": review.reviewed_by,
        "reviewed_at": review.reviewed_at,
    }
    await work.collection(REVIEWS).insert_one(document)


async def of_messages(reader: Reader, refs: Sequence[MessageRef]) -> dict[MessageRef, list[Review]]:
    """The reviews of these messages by message, oldest first."""
    found: dict[MessageRef, list[Review]] = {}
    wanted = {"message_id": {"$in": [ref.message_id for ref in refs]}}
    async for document in reader.collection(REVIEWS).find(wanted).sort("_id", 1):
        review = _review(document)
        found.setdefault(review.ref, []).append(review)
    return found


async def of_id(reader: Reader, message_id: str, group_id: str | None) -> list[Review]:
    """The reviews of the messages of this id, in one group or in all of them, oldest first."""
    wanted = {"message_id": message_id} | ({"group_id": group_id} if group_id is not None else {})
    return [_review(document) async for document in reader.collection(REVIEWS).find(wanted).sort("_id", 1)]


async def listed(
    reader: Reader, group_id: str | None, outcome: Outcome | None, after: str | None, limit: int
) -> list[Review]:
    """The reviews, newest first, after the given one."""
    wanted = {"group_id": group_id, "outcome": outcome, "_id": {"$lt": after} if after else None}
    query = {name: value for name, value in wanted.items() if value is not None}
    return [_review(document) async for document in reader.collection(REVIEWS).find(query).sort("_id", -1).limit(limit)]


def _review(document: Mapping[str, Any]) -> Review:
    return Review(
        document["_id"],
        MessageRef(document["message_id"], document["group_id"], document["channel"]),
        document["outcome"],
        document["note"],
        document["reviewed_by"],
        document["reviewed_at"],
    )

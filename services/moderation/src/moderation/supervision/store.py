"""What supervisors said of messages, in MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.archive.model import MessageRef
from moderation.supervision.model import MessageReview, ReviewOutcome

MESSAGE_REVIEWS = "message_reviews"
MESSAGE_REVIEW_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    MESSAGE_REVIEWS: (
        Index((("message_id", 1), ("group_id", 1), ("_id", 1))),
        Index((("reviewed_at", 1),), expires_after=timedelta(days=5 * 366)),
    )
}


async def insert_review(work: Work, review: MessageReview) -> None:
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
    await work.collection(MESSAGE_REVIEWS).insert_one(document)


async def find_reviews(reader: Reader, refs: Sequence[MessageRef]) -> dict[MessageRef, list[MessageReview]]:
    """The reviews of these messages by message, oldest first."""
    found: dict[MessageRef, list[MessageReview]] = {}
    query = {"message_id": {"$in": [ref.message_id for ref in refs]}}
    async for document in reader.collection(MESSAGE_REVIEWS).find(query).sort("_id", 1):
        review = _review(document)
        found.setdefault(review.ref, []).append(review)
    return found


async def list_reviews_of_id(reader: Reader, message_id: str, group_id: str | None) -> list[MessageReview]:
    """The reviews of the messages of this id, in one group or in all of them, oldest first."""
    query = {"message_id": message_id} | ({"group_id": group_id} if group_id is not None else {})
    return [_review(document) async for document in reader.collection(MESSAGE_REVIEWS).find(query).sort("_id", 1)]


async def list_reviews(
    reader: Reader, group_id: str | None, outcome: ReviewOutcome | None, after: str | None, limit: int
) -> list[MessageReview]:
    """The reviews, newest first, after the given one."""
    fields = {"group_id": group_id, "outcome": outcome, "_id": {"$lt": after} if after else None}
    query = {name: value for name, value in fields.items() if value is not None}
    cursor = reader.collection(MESSAGE_REVIEWS).find(query).sort("_id", -1).limit(limit)
    return [_review(document) async for document in cursor]


def _review(document: Mapping[str, Any]) -> MessageReview:
    return MessageReview(
        document["_id"],
        MessageRef(document["message_id"], document["group_id"], document["channel"]),
        document["outcome"],
        document["note"],
        document["reviewed_by"],
        document["reviewed_at"],
    )

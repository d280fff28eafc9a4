"""Archived messages by the ten thousand, for judging them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huiqun.store import Cursor, Reader
from moderation.archive.store.messages import BY_TIME, MESSAGES

# What a judgement rests on, and what it came to.
_JUDGED = (
    *("group_id", "member_id", "role", "kind", "text", "duration_seconds", "url", "left_out", "sent_at"),
    *("verdict", "reasons"),
)
_READ_AHEAD = 5_000


@dataclass(frozen=True, slots=True)
class Span:
    """What was sent from `since` and before `until`, in these groups or in all; `warm_up` is what was before it."""

    warm_up: datetime
    since: datetime
    until: datetime
    groups: Sequence[str] | None = None

    def query(self, start: datetime) -> dict[str, Any]:
        """What was sent from `start` on."""
        groups = {"group_id": {"$in": list(self.groups)}} if self.groups is not None else {}
        return {**groups, "sent_at": {"$gte": start, "$lt": self.until}}


async def count(reader: Reader, span: Span) -> int:
    """How many messages the span has, without what was before it."""
    return int(await reader.collection(MESSAGES).count_documents(span.query(span.since), hint=list(BY_TIME)))


def replay(reader: Reader, span: Span) -> Cursor:
    """The messages of the span and of what was before it, group by group and in the order they were sent."""
    wanted = dict.fromkeys(_JUDGED, 1)
    cursor = reader.collection(MESSAGES).find(span.query(span.warm_up), wanted, batch_size=_READ_AHEAD)
    return cursor.sort(list(BY_TIME)).hint(list(BY_TIME))

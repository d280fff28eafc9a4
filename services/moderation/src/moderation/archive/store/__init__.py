"""The archive in MongoDB: messages, holds on them, and what supervisors said of them."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from moderation.archive.store import holds, messages, retentions, reviews
from moderation.archive.store.messages import append, find_revisions, latest, mark_recalled
from moderation.archive.store.replays import Span, count, replay

INDEXES: Mapping[str, Sequence[Index]] = {
    **messages.INDEXES,
    **retentions.INDEXES,
    **holds.INDEXES,
    **reviews.INDEXES,
}

__all__ = ["INDEXES", "Span", "append", "count", "find_revisions", "latest", "mark_recalled", "replay"]

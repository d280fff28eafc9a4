"""HTTP routes of the archive."""

from moderation.archive.api.exports import router as exports_router
from moderation.archive.api.holds import router as holds_router
from moderation.archive.api.lookup import router as lookup_router
from moderation.archive.api.messages import router as messages_router
from moderation.archive.api.reviews import router as reviews_router
from moderation.archive.api.supervision import router as supervision_router

__all__ = [
    "exports_router",
    "holds_router",
    "lookup_router",
    "messages_router",
    "reviews_router",
    "supervision_router",
]

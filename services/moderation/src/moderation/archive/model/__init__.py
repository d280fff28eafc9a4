"""How long a message is kept, what holds it, whom its personal data matches, how it is drawn and written out."""

from moderation.archive.model.entries import Entry, Keeping
from moderation.archive.model.holds import NO_HOLDS, Hold, Holds
from moderation.archive.model.keys import MessageRef, RevisionKey
from moderation.archive.model.retention import first_day_without
from moderation.archive.model.tokens import Token, tokens_in, tokens_of

__all__ = [
    "NO_HOLDS",
    "Entry",
    "Hold",
    "Holds",
    "Keeping",
    "MessageRef",
    "RevisionKey",
    "Token",
    "first_day_without",
    "tokens_in",
    "tokens_of",
]

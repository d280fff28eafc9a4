"""What an action is asked for, by which people find what it is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.contracts.envelope import Event
from huiqun.privacy.text import mask_text

_EXCERPT_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action is asked for: the event that caused it, and the message that it is about.

    `excerpt` is the masked beginning of the message, by which people find it in a chat window, `sent_at` its time.
    """

    cause: Event | None = None
    excerpt: str = ""
    sent_at: datetime | None = None


#: Of an action that is about no message, and whose cause the work knows.
NO_CONTEXT: Final = ActionContext()


def quote_message(text: str, sent_at: datetime | None, cause: Event | None = None) -> ActionContext:
    """Return the context of an action about a message with this text."""
    words = " ".join(text.split())
    # A number that is cut here stands far behind what is shown.
    shown = mask_text(words[: 5 * _EXCERPT_CHARACTERS])[:_EXCERPT_CHARACTERS]
    return ActionContext(cause, f"{shown}…" if len(words) > _EXCERPT_CHARACTERS else shown, sent_at)

"""Which of a member's messages are read as one: a word may be cut over several."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

WINDOW_MESSAGES: Final = 3
WINDOW_TIME: Final = timedelta(seconds=30)


def window(earlier: Sequence[tuple[datetime, str]], sent_at: datetime, text: str) -> tuple[str, ...]:
    """Return the texts to read as one, `text` last. `earlier` are the member's messages in this group, oldest first;
    only the last of them within the time before `sent_at` count. Alone, a text is no window: the result is empty."""
    recent = [said for at, said in earlier[1 - WINDOW_MESSAGES :] if timedelta() <= sent_at - at <= WINDOW_TIME]
    return (*recent, text) if recent else ()

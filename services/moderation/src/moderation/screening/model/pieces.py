"""Words cut over several messages: the short texts that a member sends one after the other are read as one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from huiqun.contracts.channel import EditedMessage, Message
from moderation.lexicon.model.matching import Lexicon
from moderation.lexicon.model.windows import WINDOW_MESSAGES, window
from moderation.screening.model.evidence import Evidence
from moderation.standings.model import Standing, standing_key

# Longer texts are sentences, whose ends and beginnings meet by accident.
_LONGEST_PIECE = 6


def windows_of(messages: Sequence[Message], standings: Mapping[str, Standing]) -> dict[int, tuple[str, ...]]:
    """The short texts to be read as one, by the index of the message that ends them; remembers each for the next."""
    windows: dict[int, tuple[str, ...]] = {}
    for index, message in enumerate(messages):
        standing = standings.get(standing_key(message.group_id, message.sender.member_id))
        if standing is None or isinstance(message, EditedMessage):
            continue
        if 0 < len(message.text) <= _LONGEST_PIECE and "@" not in message.text:
            if joined := window(standing.short_texts, message.sent_at, message.text):
                windows[index] = joined
            standing.short_texts = [*standing.short_texts, (message.sent_at, message.text)][1 - WINDOW_MESSAGES :]
        elif standing.short_texts:
            standing.short_texts = []
    return windows


def add_joined_words(
    evidence: list[Evidence],
    windows: Mapping[int, tuple[str, ...]],
    masks: Sequence[int],
    lexicon: Lexicon,
    today: date,
) -> None:
    """Add to the evidence in each message the words that it completes."""
    if not windows:
        return
    found = lexicon.scan_across(list(windows.values()), [masks[index] for index in windows], today)
    for index, hits in zip(windows, found, strict=True):
        if hits:
            evidence[index] = replace(evidence[index], hits=(*evidence[index].hits, *hits))

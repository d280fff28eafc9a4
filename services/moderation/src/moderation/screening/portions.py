"""Reads the texts of a batch in portions, so that whoever else has work on the event loop gets a turn in between."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from huiqun.contracts.channel import Message
from huiqun.runtime.time_slice import TimeSlice
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook
from moderation.screening.model import Evidence, add_resemblance, gather
from moderation.screening.shipped import shipped_classifier

# In the worst of texts, a character takes some five microseconds: so many, a twentieth of a second.
_CHARACTERS: Final = 10_000


async def gather_in_portions(
    messages: Sequence[Message], policies: Sequence[Policy], rulebook: Rulebook, today: date
) -> list[Evidence]:
    """The evidence in each message under its policy; a text too long for a turn is read in a thread."""
    evidence: list[Evidence] = []
    time_slice = TimeSlice()
    for start, end, characters in _portions(messages):
        some, theirs = messages[start:end], policies[start:end]
        if characters > _CHARACTERS:
            evidence += await asyncio.to_thread(_gather, some, theirs, rulebook, today)
        else:
            evidence += _gather(some, theirs, rulebook, today)
        if time_slice.is_spent:
            await time_slice.yield_to_loop()
    return evidence


def _gather(messages: Sequence[Message], policies: Sequence[Policy], rulebook: Rulebook, today: date) -> list[Evidence]:
    evidence = gather(messages, [rulebook.mask_of(policy) for policy in policies], rulebook.lexicon, today)
    add_resemblance(evidence, messages, policies, shipped_classifier)
    return evidence


def _portions(messages: Sequence[Message]) -> Iterator[tuple[int, int, int]]:
    """From where to where, and how many characters: no more than fit into a turn, but for a single long text."""
    start = characters = 0
    for index, message in enumerate(messages):
        length = len(message.text)
        if index > start and characters + length > _CHARACTERS:
            yield start, index, characters
            start, characters = index, 0
        characters += length
    if messages:
        yield start, len(messages), characters

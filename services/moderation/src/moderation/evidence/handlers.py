"""Gathers the evidence in the texts of a batch and in what they quote, and gives others their turn in between."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from huiqun.contracts.channel import MAX_TEXT, Message
from huiqun.runtime.time_slice import TimeSlice
from moderation.classifier.handlers import load_shipped_classifier
from moderation.evidence.model import NO_EVIDENCE, Evidence, QuotedEvidence, add_likeness, gather_evidence
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook

# In the worst of texts, a character takes some five microseconds: so many, a twentieth of a second.
_SLICE_CHARACTERS: Final = 10_000


async def gather_in_slices(
    messages: Sequence[Message], policies: Sequence[Policy], rulebook: Rulebook, today: date
) -> list[Evidence]:
    """The evidence in each message under its policy; a text too long for a turn is read in a thread."""
    evidence: list[Evidence] = []
    time_slice = TimeSlice()
    for start, end, characters in _list_slices(messages):
        some, theirs = messages[start:end], policies[start:end]
        if characters > _SLICE_CHARACTERS:
            evidence += await asyncio.to_thread(_gather_slice, some, theirs, rulebook, today)
        else:
            evidence += _gather_slice(some, theirs, rulebook, today)
        if time_slice.is_spent:
            await time_slice.yield_to_loop()
    return evidence


def _gather_slice(
    messages: Sequence[Message], policies: Sequence[Policy], rulebook: Rulebook, today: date
) -> list[Evidence]:
    # Few policies have many messages, and looking one up by its key takes as long as a rule.
    masks = {id(policy): rulebook.mask_of(policy) for policy in {id(each): each for each in policies}.values()}
    evidence = gather_evidence(messages, [masks[id(policy)] for policy in policies], rulebook.lexicon, today)
    add_likeness(evidence, messages, policies, load_shipped_classifier)
    return evidence


def _list_slices(messages: Sequence[Message]) -> Iterator[tuple[int, int, int]]:
    """From where to where, and how many characters: no more than fit into a turn, but for a single long text."""
    start = characters = 0
    for index, message in enumerate(messages):
        length = len(message.text)
        if index > start and characters + length > _SLICE_CHARACTERS:
            yield start, index, characters
            start, characters = index, 0
        characters += length
    if messages:
        yield start, len(messages), characters


async def add_quoted_evidence(
    evidence: list[Evidence],
    messages: Sequence[Message],
    policies: Sequence[Policy],
    rulebook: Rulebook,
    today: date,
) -> None:
    """Add to the evidence in each message what its quotation shows; costs a look where nobody quotes."""
    texts = {index: message.quoted.text[:MAX_TEXT] for index, message in enumerate(messages) if message.quoted}
    if not texts:
        return
    quoted = [messages[index].model_copy(update={"text": text, "url": None}) for index, text in texts.items()]
    found = await gather_in_slices(quoted, [policies[index] for index in texts], rulebook, today)
    for index, each in zip(texts, found, strict=True):
        if each is not NO_EVIDENCE:
            evidence[index] = replace(evidence[index], quoted=QuotedEvidence(each))

"""Gathers the evidence in the texts of a batch and in what they quote, and gives others their turn in between."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from huiqun.contracts.channel import MAX_TEXT, Message, MessageEdited, MessageReceived
from huiqun.privacy.text import mask_text
from huiqun.runtime.time_slice import TimeSlice
from huiqun.work import Work
from moderation.archive import store as archive
from moderation.archive.model import MessageRef
from moderation.classifier.handlers import load_shipped_classifier
from moderation.evidence.model import NO_EVIDENCE, Evidence, QuotedEvidence, add_likeness, gather_evidence
from moderation.lifecycle.handlers import ref_of
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
            await time_slice.give_way()
    return evidence


def _gather_slice(
    messages: Sequence[Message], policies: Sequence[Policy], rulebook: Rulebook, today: date
) -> list[Evidence]:
    evidence = gather_evidence(messages, [rulebook.mask_of(policy) for policy in policies], rulebook.lexicon, today)
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


async def compare_quoted(
    work: Work, events: Sequence[MessageReceived | MessageEdited], evidence: list[Evidence]
) -> None:
    """Leave out of the evidence what somebody else has written as it is quoted, and note what the sender has.

    The archive is asked only about quotations in which something was found. Of one without an id, and of a message that
    is not there, it stays unknown.
    """
    refs: dict[int, MessageRef] = {}
    for index, event in enumerate(events):
        quoted = event.data.quoted
        if evidence[index].quoted is not None and quoted is not None and quoted.message_id is not None:
            refs[index] = MessageRef(quoted.message_id, event.data.group_id, event.source)
    if not refs:
        return
    archived = await archive.find_revisions(work, set(refs.values()))
    written = {
        ref: [(str(each.document["member_id"]), str(each.document["text"])) for each in found]
        for ref, found in archived.items()
    }
    for event in events:
        if (ref := ref_of(event)) in refs.values():
            written.setdefault(ref, []).append((event.data.sender.member_id, mask_text(event.data.text)))
    for index, ref in refs.items():
        if ref in written:
            evidence[index] = _compared(evidence[index], events[index].data, written[ref])


def _compared(evidence: Evidence, message: Message, written: Collection[tuple[str, str]]) -> Evidence:
    """The evidence, now that it is known who has written which texts under the quoted message's id."""
    if evidence.quoted is None or message.quoted is None:
        return evidence
    # Platforms cut quotations short, and treat white space as they like.
    said = "".join(mask_text(message.quoted.text[:MAX_TEXT]).split()).rstrip("….")
    others = [text for member_id, text in written if member_id != message.sender.member_id]
    is_others = any(said in "".join(text.split()) for text in others)
    return replace(evidence, quoted=None if is_others else replace(evidence.quoted, is_own=True))

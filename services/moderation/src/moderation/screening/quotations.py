"""What messages quote: read like any text, and compared with what was written, since anybody can write a quotation."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from huiqun.contracts.channel import MAX_TEXT, Message, MessageEdited, MessageReceived
from huiqun.privacy.text import mask_text
from huiqun.work import Work
from moderation.archive.handlers import find_revisions
from moderation.archive.model import MessageRef
from moderation.lifecycle.handlers import message_ref_of
from moderation.policies.model import Policy
from moderation.rulebook.model import Rulebook
from moderation.screening.model.evidence import NOTHING, Evidence, QuotedEvidence
from moderation.screening.portions import gather_in_portions


async def add_quoted(
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
    found = await gather_in_portions(quoted, [policies[index] for index in texts], rulebook, today)
    for index, each in zip(texts, found, strict=True):
        if each is not NOTHING:
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
    archived = await find_revisions(work, set(refs.values()))
    written = {
        ref: [(str(each.document["member_id"]), str(each.document["text"])) for each in found]
        for ref, found in archived.items()
    }
    for event in events:
        if (ref := message_ref_of(event)) in refs.values():
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

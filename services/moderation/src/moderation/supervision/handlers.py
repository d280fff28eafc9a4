"""Supervise: draw a sample that can be drawn again, note what was seen in it, and find who wrote personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.privacy.detection import PersonalDataKind
from huiqun.privacy.keys import RotatingKey
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Work
from moderation.archive.handlers import (
    get_revisions,
    list_all_group_ids,
    list_messages_of_keys,
    list_messages_with_token,
    read_original_keys,
)
from moderation.archive.model import (
    ArchivedMessage,
    ArchivePlace,
    MessageRef,
    MessageSearch,
    RevisionKey,
    tokenize_value,
)
from moderation.supervision import store
from moderation.supervision.model import MessageReview, ReviewOutcome, SampleDraw

#: Reading more takes longer than anybody waits for an answer.
MOST_DRAWN_FROM: Final = 2_000_000


class TooManyMessagesError(ValueError):
    """There are too many messages to draw from: name groups, or a shorter time."""


@dataclass(frozen=True, slots=True)
class DrawSampleCommand:
    """What is drawn from; without groups, from all of them. `by_group` gives each group the same share."""

    seed: str
    size: int
    since: datetime
    until: datetime
    groups: tuple[str, ...] = ()
    by_group: bool = False


@dataclass(frozen=True, slots=True)
class MessageSample:
    """What was drawn, from how many messages, and what was said of each before."""

    messages: Sequence[ArchivedMessage]
    population: int
    reviews: dict[MessageRef, list[MessageReview]]


@dataclass(frozen=True, slots=True)
class ReviewMessageCommand:
    """What a supervisor says of a message; without a group, of the one that has this id."""

    message_id: str
    group_id: str | None
    outcome: ReviewOutcome
    note: str


@dataclass(frozen=True, slots=True)
class LookUpPersonalDataCommand:
    """Which value is looked for, and which page of the answer."""

    value: str
    kind: PersonalDataKind
    after: ArchivePlace | None
    limit: int


async def draw_sample(reader: Reader, command: DrawSampleCommand) -> MessageSample:
    """Messages as first sent, lowest rank first; each is read once. Raises TooManyMessagesError."""
    draw = SampleDraw(command.seed, command.size, command.by_group, lambda key: RevisionKey.parse(key).message_id)
    population = 0
    for group_id in sorted(set(command.groups)) or await list_all_group_ids(reader):
        async for keys in read_original_keys(reader, MessageSearch(group_id, command.since, command.until)):
            draw.offer_keys(keys)
            population += len(keys)
            if population > MOST_DRAWN_FROM:
                raise TooManyMessagesError
        draw.end_group()
    messages = await list_messages_of_keys(reader, draw.drawn_keys())
    reviews = await store.find_reviews(reader, [each.key.ref for each in messages])
    return MessageSample(messages, population, reviews)


async def review_message(work: Work, command: ReviewMessageCommand, actor: str) -> MessageReview:
    """Note what a supervisor thinks of a message.

    Opinions are added, never replaced. Raises MessageNotArchivedError, AmbiguousMessageError.
    """
    ref = (await get_revisions(work, command.message_id, command.group_id))[0].key.ref
    review = MessageReview(new_id(), ref, command.outcome, command.note, actor, work.now)
    await store.insert_review(work, review)
    detail = {"review": review.id, "outcome": command.outcome, "group_id": ref.group_id}
    await append_audit_entry(work, AuditEntry(actor, "message.reviewed", f"message/{ref.message_id}", detail))
    return review


async def look_up_personal_data(
    work: Work, command: LookUpPersonalDataCommand, hash_key: RotatingKey, actor: str
) -> list[ArchivedMessage]:
    """The messages with this value, in whatever spelling it was written. Raises NoPersonalDataError.

    The audit log keeps its hash, never the value.
    """
    tokens = tokenize_value(command.value, command.kind, hash_key)
    found = await list_messages_with_token(work, tokens, command.after, command.limit)
    detail = {"hash": tokens[0].hash, "found": len(found)}
    await append_audit_entry(
        work, AuditEntry(actor, "personal_data.looked_up", f"personal_data/{command.kind.value}", detail)
    )
    return found

"""Supervise: draw a sample that can be drawn again, and note what was seen in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Work
from moderation.archive.model.keys import MessageRef, RevisionKey
from moderation.archive.model.sampling import Draw
from moderation.archive.store import messages, reviews
from moderation.archive.store.messages import Archived, Search
from moderation.archive.store.reviews import Outcome, Review

#: Reading more takes longer than anybody waits for an answer.
MOST_DRAWN_FROM: Final = 2_000_000
_PAGE: Final = 500


class UnknownMessageError(LookupError):
    """There is no such message in the archive."""


class AmbiguousMessageError(ValueError):
    """Several groups have a message of this id: say which group is meant."""


class TooManyMessagesError(ValueError):
    """There are too many messages to draw from: name groups, or a shorter time."""


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """What is drawn from; without groups, from all of them. `by_group` gives each group the same share."""

    seed: str
    size: int
    since: datetime
    until: datetime
    groups: tuple[str, ...] = ()
    by_group: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn, from how many messages, and what was said of it before."""

    drawn: Sequence[Archived]
    population: int
    reviews: dict[MessageRef, list[Review]]


async def draw_sample(reader: Reader, order: SampleOrder) -> Sample:
    """Messages as first sent, lowest rank first; each is read once. Raises TooManyMessagesError."""
    draw = Draw(order.seed, order.size, order.by_group, lambda key: RevisionKey.parse(key).message_id)
    population = 0
    for group_id in sorted(set(order.groups)) or await _every_group(reader):
        async for keys in messages.first_keys(reader, Search(group_id, order.since, order.until)):
            draw.offer(keys)
            population += len(keys)
            if population > MOST_DRAWN_FROM:
                raise TooManyMessagesError
        draw.end_group()
    drawn = await messages.firsts(reader, draw.drawn())
    refs = [each.key.ref for each in drawn]
    return Sample(drawn, population, await reviews.of_messages(reader, refs))


async def find_message(reader: Reader, message_id: str, group_id: str | None) -> list[Archived]:
    """The revisions of the one message of this id, in the group if one is named, the latest last.

    Raises UnknownMessageError, AmbiguousMessageError.
    """
    found = await messages.same_id(reader, message_id, group_id)
    if not found:
        raise UnknownMessageError(message_id)
    if len(found) > 1:
        raise AmbiguousMessageError(message_id)
    return found[0]


@dataclass(frozen=True, slots=True)
class ReviewMessageCommand:
    """What a supervisor says of a message; without a group, of the one that has this id."""

    message_id: str
    group_id: str | None
    outcome: Outcome
    note: str


async def review_message(work: Work, command: ReviewMessageCommand, actor: str) -> Review:
    """Note what a supervisor thinks of a message.

    Opinions are added, never replaced. Raises UnknownMessageError, AmbiguousMessageError.
    """
    ref = (await find_message(work, command.message_id, command.group_id))[0].key.ref
    review = Review(new_id(), ref, command.outcome, command.note, actor, work.now)
    await reviews.add(work, review)
    detail = {"review": review.id, "outcome": command.outcome, "group_id": ref.group_id}
    await append_audit_entry(work, AuditEntry(actor, "message.reviewed", f"message/{ref.message_id}", detail))
    return review


async def _every_group(reader: Reader) -> list[str]:
    found: list[str] = []
    while page := await messages.groups(reader, found[-1] if found else None, _PAGE):
        found += page
    return found

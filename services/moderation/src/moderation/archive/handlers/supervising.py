"""Supervise: draw a sample that can be drawn again, and note what was seen in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huiqun.audit import AuditEntry, append
from huiqun.runtime.ids import new_id
from huiqun.store import Database
from huiqun.stream import Work
from moderation.archive.model.sampling import Draw
from moderation.archive.store import messages, reviews
from moderation.archive.store.messages import Archived, Search
from moderation.archive.store.reviews import Outcome, Review

#: Reading more takes longer than anybody waits for an answer.
MOST_DRAWN_FROM: Final = 2_000_000
_PAGE: Final = 500


class UnknownMessageError(LookupError):
    """There is no such message in the archive."""


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
    reviews: dict[str, list[Review]]


async def draw_sample(database: Database, order: SampleOrder) -> Sample:
    """Messages as first sent, lowest rank first; each is read once. Raises TooManyMessagesError."""
    draw = Draw(order.seed, order.size, order.by_group)
    population = 0
    for group_id in sorted(set(order.groups)) or await _every_group(database):
        async for ids in messages.first_ids(database, Search(group_id, order.since, order.until)):
            draw.offer(ids)
            population += len(ids)
            if population > MOST_DRAWN_FROM:
                raise TooManyMessagesError
        draw.end_group()
    ids = draw.drawn()
    return Sample(await messages.firsts(database, ids), population, await reviews.of_messages(database, ids))


async def review_message(work: Work, message_id: str, outcome: Outcome, note: str, actor: str) -> Review:
    """Note what a supervisor thinks of a message. Raises UnknownMessageError.

    Opinions are added, never replaced.
    """
    group_id = await messages.group_of(work, message_id)
    if group_id is None:
        raise UnknownMessageError(message_id)
    review = Review(new_id(), message_id, group_id, outcome, note, actor, work.now)
    await reviews.add(work, review)
    detail = {"review": review.id, "outcome": outcome}
    await append(work, AuditEntry(actor, "message.reviewed", f"message/{message_id}", detail))
    return review


async def _every_group(database: Database) -> list[str]:
    found: list[str] = []
    while page := await messages.groups(database, found[-1] if found else None, _PAGE):
        found += page
    return found

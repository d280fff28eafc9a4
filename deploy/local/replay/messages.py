"""Makes messages of texts: spread over groups and members, and over time, so that nobody seems to flood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from huiqun.contracts.channel import Message, MessageEdited, MessageReceived, Sender
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.runtime.ids import new_id
from local.days import TIMEZONE, last_full_day
from moderation.archive.model import RevisionKey

SOURCE: Final = "replay"
# How long a member pauses between two messages: longer than any sensible flood rule looks back.
_PAUSE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """Over how many groups and over how many members in each."""

    groups: int
    members: int


def make_events(items: Sequence[str | Event], spread: GroupSpread, now: datetime) -> Iterator[Event]:
    """The events as they are, and for each text a message: round the groups, then round their members."""
    run = new_id()
    start = datetime.combine(last_full_day(now), time(8), TIMEZONE).astimezone(UTC)
    step = _PAUSE / (spread.groups * spread.members)
    for number, item in enumerate(items):
        if isinstance(item, Event):
            yield item
            continue
        group_id = f"replay-{number % spread.groups:03d}"
        member_id = f"{group_id}-{number // spread.groups % spread.members:03d}"
        at = start + number * step
        message = Message(
            message_id=f"{run}-{number}",
            group_id=group_id,
            sender=Sender(member_id=member_id, display_name=f"成员{member_id[-3:]}"),
            text=item,
            sent_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        )
        yield MessageReceived.create(group_id, message, time=now, source=SOURCE)


def key_of(event: Event) -> str | None:
    """Under which key moderation archives the message; None for what is not judged."""
    if not isinstance(event, MessageReceived | MessageEdited):
        return None
    revision = event.data.revision if isinstance(event, MessageEdited) else 0
    return str(RevisionKey(event.data.message_id, event.data.group_id, revision, event.source))


def key_of_judged(event: MessageScreened) -> str:
    """The same key, by the verdict."""
    data = event.data
    return str(RevisionKey(data.message_id, data.group_id, data.revision, data.channel))

"""From a day as it is written to the records a channel would send, in order of time and with ids of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from demo.story.fuli import FULI
from demo.story.huimin import HUIMIN
from demo.story.licai import LICAI
from demo.story.model import (
    Chat,
    Edits,
    Entry,
    Expected,
    Garbles,
    Joins,
    Leaves,
    Recalls,
    Redelivers,
    Renames,
    Says,
)
from huiqun.contracts.channel import (
    Departure,
    EditedMessage,
    GroupCreated,
    GroupUpdated,
    Member,
    MemberJoined,
    MemberLeft,
    Message,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
    Recall,
    Sender,
)
from huiqun.contracts.envelope import Event, Payload
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.kafka.publisher import Record, event_record
from local.days import TIMEZONE

CHATS: tuple[Chat, ...] = (HUIMIN, LICAI, FULI)
SOURCE = "story"


@dataclass(frozen=True, slots=True)
class DayStep:
    """One record of the day. `key` is the message's revision as moderation archives it; empty if it is none."""

    at: datetime
    chat: Chat
    entry: Entry | None
    record: Record
    event: Event | None
    key: str = ""

    @property
    def expected(self) -> Expected | None:
        """What moderation should make of it; None if it is no message, or should not get through or be judged again."""
        if isinstance(self.entry, Says):
            return None if self.entry.withheld else self.entry.expected
        return self.entry.expected if isinstance(self.entry, Edits) else None

    @property
    def author(self) -> str:
        """The name of who wrote it, without what they do; empty if it is no message."""
        sent = self.event.data.sender if isinstance(self.event, MessageReceived | MessageEdited) else None
        return sent.display_name.reveal().partition("-")[0] if sent else ""


def compose_day(day: date, chats: Sequence[Chat] = CHATS) -> tuple[DayStep, ...]:
    """The whole day over all groups: first the groups and who is in them, then what happens, in order of time."""
    steps = [step for chat in chats for step in EventWriter(chat).write_day(day)]
    return tuple(sorted(steps, key=lambda step: step.at))


class EventWriter:
    """Writes what happens in one group; remembers labelled messages, which later entries refer to.

    Messages are numbered from `after` on.
    """

    def __init__(self, chat: Chat, after: int = 0) -> None:
        self._chat = chat
        self._labelled: dict[str, DayStep] = {}
        self._revisions: dict[str, int] = {}
        self._number = after

    def write_day(self, day: date) -> Iterator[DayStep]:
        """The whole day: first the group and who is in it."""
        opening = datetime.combine(day, time(), TIMEZONE).astimezone(UTC)
        yield self._step(opening, None, GroupCreated, self._chat.group)
        for member_id, person in self._chat.cast.items():
            if not person.joins_later:
                yield self._step(opening, None, MemberJoined, self._member(member_id))
        for entry in self._chat.day:
            yield self.write_entry(entry, datetime.combine(day, time.fromisoformat(entry.at), TIMEZONE).astimezone(UTC))

    def write_entry(self, entry: Entry, at: datetime) -> DayStep:
        """One entry, at its time."""
        match entry:
            case Says():
                return self._say(entry, at)
            case Edits():
                return self._edit(entry, at)
            case Recalls():
                message = self._message(entry.of)
                recall = Recall(
                    message_id=message.message_id, group_id=message.group_id, recalled_by=message.sender.member_id
                )
                return self._step(at, entry, MessageRecalled, recall)
            case Joins():
                return self._step(at, entry, MemberJoined, self._member(entry.who, scene=entry.scene))
            case Leaves():
                departure = Departure(**self._member(entry.who).model_dump())
                return self._step(at, entry, MemberLeft, departure)
            case Renames():
                return self._step(at, entry, GroupUpdated, self._chat.group.model_copy(update={"name": entry.name}))
            case Redelivers():
                again = self._labelled[entry.of]
                return DayStep(at, self._chat, entry, again.record, again.event)
            case Garbles():
                group_id = self._chat.group.group_id
                record = Record(CHANNEL_MESSAGES.name, group_id.encode(), entry.value)
                return DayStep(at, self._chat, entry, record, None)

    def _say(self, entry: Says, at: datetime) -> DayStep:
        person = self._chat.cast[entry.by]
        self._number += 1
        message_id = f"{self._chat.group.group_id}-{self._number:03d}"
        message = Message(
            message_id=message_id,
            group_id=self._chat.group.group_id,
            sender=Sender(member_id=entry.by, role=person.role, display_name=person.name),
            kind=entry.kind,
            text=entry.text,
            duration_seconds=entry.seconds,
            url=entry.url,
            mentions=entry.mentions,
            reply_to=self._message(entry.reply_to).message_id if entry.reply_to else None,
            sent_at=at,
        )
        step = self._step(at, entry, MessageReceived, message, key=message_id)
        if entry.label:
            self._labelled[entry.label] = step
        return step

    def _edit(self, entry: Edits, at: datetime) -> DayStep:
        message = self._message(entry.of)
        revision = self._revisions.get(message.message_id, 0) + 1
        self._revisions[message.message_id] = revision
        edited = EditedMessage(**{**message.model_dump(), "text": entry.text, "revision": revision, "sent_at": at})
        return self._step(at, entry, MessageEdited, edited, key=f"{message.message_id}/{revision}")

    def _message(self, label: str) -> Message:
        event = self._labelled[label].event
        if not isinstance(event, MessageReceived):
            raise TypeError(f"{label} labels no message")
        return event.data

    def _member(self, member_id: str, scene: str | None = None) -> Member:
        person = self._chat.cast[member_id]
        return Member(
            group_id=self._chat.group.group_id,
            member_id=member_id,
            role=person.role,
            display_name=person.name,
            scene=scene,
            external_ids=dict(person.external_ids),
        )

    def _step(self, at: datetime, entry: Entry | None, kind: type[Event], data: Payload, key: str = "") -> DayStep:
        group_id = self._chat.group.group_id
        what = key or f"{kind.__name__}.{getattr(data, 'member_id', '')}{entry.at if entry else ''}"
        event_id = f"{SOURCE}.{group_id}.{what}".replace("/", ".")
        event = kind(id=event_id, source=SOURCE, time=at, subject=group_id, data=data)  # type: ignore[call-arg]
        return DayStep(at, self._chat, entry, event_record(event), event, key)

"""Messages: written, changed, withdrawn."""

from datetime import datetime
from enum import StrEnum
from struct import pack
from typing import Annotated, ClassVar, Literal, Self
from zlib import crc32

from pydantic import Field

from huiqun.contracts.channel.members import Role
from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.privacy.names import PersonName
from huiqun.privacy.text import RawText

#: The longest text that is sent to the channel, and that is judged and kept as a whole: no chat platform's is longer.
MAX_TEXT = 20_000
Text = Annotated[str, RawText(max_length=MAX_TEXT)]
_NO_NAME = PersonName()


class MessageKind(StrEnum):
    """The form of a message."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    LINK = "link"
    MINI_PROGRAM = "mini_program"
    CARD = "card"
    RED_PACKET = "red_packet"
    LOCATION = "location"
    MIXED = "mixed"
    OTHER = "other"


class TextAvailability(StrEnum):
    """How much of a message's text the chat platform lets out."""

    FULL = "full"
    MASKED = "masked"
    NONE = "none"


class Sender(Payload):
    """Who wrote a message."""

    member_id: Id = Field(examples=["wmOgQhDgAAuXFJGwbve4g4iXknfOAAAA"])
    role: Role = Role.CUSTOMER
    display_name: PersonName = _NO_NAME


class Message(Payload):
    """A message as the channel delivered it, of whatever length: how much of it is judged and kept has limits."""

    happened: ClassVar = ("sent_at",)

    message_id: Id
    group_id: Id
    sender: Sender
    kind: MessageKind = MessageKind.TEXT
    text: Annotated[str, RawText()] = Field(default="", description="The text, caption or transcript")
    text_availability: TextAvailability = Field(
        default=TextAvailability.FULL, description="none: the platform keeps the text, and `text` is empty"
    )
    duration_seconds: float | None = Field(default=None, ge=0, le=86_400, description="Length of voice or video")
    url: Annotated[str, RawText()] | None = None
    mentions: tuple[Id, ...] = ()
    reply_to: Id | None = None
    sent_at: Instant

    def received_at(self, now: datetime) -> Self:
        """The message as it counts when it is received at `now`: who says that it is to come wrote it now.

        Even by a minute: within it, a day to come would have the sender's quota, and no other.
        """
        return self if self.sent_at <= now else self.model_copy(update={"sent_at": now})


class EditedMessage(Message):
    """A message whose content was changed; everything is repeated."""

    revision: int = Field(ge=1, le=1_000_000, description="1 for the first edit, rising")


class Recall(Payload):
    """A message that was withdrawn."""

    message_id: Id
    group_id: Id
    recalled_by: Id = Field(description="Its sender, or a member of staff: nobody else's recall counts")


class MessageReceived(Event):
    """A member wrote in a group."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["channel.message.received"] = "channel.message.received"
    data: Message

    @property
    def identity(self) -> str:
        """The message itself: a connector that delivers it under a second event id changes nothing."""
        return _identity(self, 0)

    @property
    def fingerprint(self) -> bytes:
        """What was written, and by whom."""
        return _fingerprint(self.data)


class MessageEdited(Event):
    """A member changed a message."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["channel.message.edited"] = "channel.message.edited"
    data: EditedMessage

    @property
    def identity(self) -> str:
        """The message and its revision."""
        return _identity(self, self.data.revision)

    @property
    def fingerprint(self) -> bytes:
        """What was written, and by whom."""
        return _fingerprint(self.data)


class MessageRecalled(Event):
    """A message was withdrawn."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["channel.message.recalled"] = "channel.message.recalled"
    data: Recall


def _identity(event: "MessageReceived | MessageEdited", revision: int) -> str:
    """An id is unique within its group, and a group within its channel. No event's own identity begins with a slash."""
    data = event.data
    return f"/{data.group_id}/{data.message_id}/{revision}/{event.source}"


def _fingerprint(message: Message) -> bytes:
    """Eight bytes that differ where what was written does; how often it is delivered, and when, says nothing.

    A checksum and the length: it tells a sender's slip, and nobody gains by making two contents alike.
    """
    said = "\0".join((message.sender.member_id, message.kind, message.url or "", message.text))
    written = said.encode(errors="replace")
    return pack("<II", crc32(written), len(written))

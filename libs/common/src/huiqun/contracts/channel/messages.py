"""Messages: written, changed, withdrawn."""

from datetime import datetime
from enum import StrEnum
from struct import pack
from typing import Annotated, ClassVar, Literal, Self
from zlib import crc32

from pydantic import Field

from huiqun.contracts.channel.members import DisplayName, Role
from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import GroupId, MemberId, MessageId
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.privacy.names import PersonName
from huiqun.privacy.text import MaskedText, RawText

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

    member_id: Id = Field(
        description="The sender, by the id of their account within the channel",
        examples=["wmOgQhDgAAuXFJGwbve4g4iXknfOAAAA"],
    )
    role: Role = Field(default=Role.CUSTOMER, description="What the sender is in the group")
    display_name: DisplayName = _NO_NAME


class Quotation(Payload):
    """An earlier message that a message quotes, which platforms put into the text and a gateway takes out of it."""

    message_id: Id | None = Field(default=None, description="The quoted message's id, where the platform tells it")
    member_id: Id | None = Field(default=None, description="Who wrote what is quoted, where the platform tells it")
    display_name: DisplayName = _NO_NAME
    text: Annotated[str, RawText()] = Field(
        default="", description="What is quoted, without the marks around it", examples=["请问什么时候到账？"]
    )


class PlatformFinding(Payload):
    """What the chat platform itself has found in a message."""

    kind: Annotated[str, MaskedText(max_length=64)] = Field(
        default="", description="The platform's name for what it found", examples=["keyword"]
    )
    detail: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="What the platform says about it", examples=["命中企业敏感词"]
    )


class Message(Payload):
    """A message as the channel delivered it, of whatever length: how much of it is judged and kept has limits."""

    happened: ClassVar = ("sent_at",)

    message_id: MessageId
    group_id: GroupId
    sender: Sender = Field(description="Who wrote the message")
    kind: MessageKind = Field(default=MessageKind.TEXT, description="The form of the message")
    text: Annotated[str, RawText()] = Field(
        default="", description="The text, caption or transcript, without what it quotes", examples=["您好，已收到。"]
    )
    text_availability: TextAvailability = Field(
        default=TextAvailability.FULL,
        description="How much of the text the platform lets out; none: it keeps it, and `text` is empty",
    )
    platform_findings: tuple[PlatformFinding, ...] = Field(
        default=(), max_length=100, description="What the chat platform itself has found in the message"
    )
    duration_seconds: float | None = Field(
        default=None, ge=0, le=86_400, description="Length of a voice message or video, in seconds", examples=[12.5]
    )
    url: Annotated[str, RawText()] | None = Field(
        default=None, description="What a link or card leads to", examples=["https://www.example.com/notice"]
    )
    mentions: tuple[Id, ...] = Field(
        default=(), description="Whom the message mentions, by member id", examples=[["member-2"]]
    )
    reply_to: Id | None = Field(default=None, description="The message that this one answers, by its id in the group")
    quoted: Quotation | None = Field(default=None, description="The earlier message that this one quotes")
    sent_at: Instant = Field(description="When the message was sent, by the sender's or the platform's clock")

    @property
    def refers_to(self) -> str | None:
        """The id of the message that it answers, or else quotes."""
        return self.reply_to or (self.quoted.message_id if self.quoted is not None else None)

    def clamp_times(self, now: datetime) -> Self:
        """The message as it counts when it is received at `now`: who says that it is to come wrote it now.

        Even by a minute: within it, a day to come would have the sender's quota, and no other.
        """
        return self if self.sent_at <= now else self.model_copy(update={"sent_at": now})


class EditedMessage(Message):
    """A message whose content was changed; everything is repeated."""

    revision: int = Field(ge=1, le=1_000_000, description="Which edit of the message this is: 1 for the first, rising")


class Recall(Payload):
    """A message that was withdrawn."""

    message_id: MessageId
    group_id: GroupId
    recalled_by: MemberId = Field(description="Its sender, or a member of staff: nobody else's recall counts")


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
    parts = [message.sender.member_id, message.kind, message.url or "", message.text]
    if message.quoted is not None:
        parts.append(message.quoted.text)
    said = "\0".join(parts)
    written = said.encode(errors="replace")
    return pack("<II", crc32(written), len(written))

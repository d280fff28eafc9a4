"""Messages: written, changed, withdrawn."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.channel.members import Role
from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.topics import CHANNEL_MESSAGES
from huiqun.privacy.names import PersonName
from huiqun.privacy.text import RawText

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


class Sender(Payload):
    """Who wrote a message."""

    member_id: Id = Field(examples=["wmOgQhDgAAuXFJGwbve4g4iXknfOAAAA"])
    role: Role = Role.CUSTOMER
    display_name: PersonName = _NO_NAME


class Message(Payload):
    """A message as the channel delivered it."""

    message_id: Id
    group_id: Id
    sender: Sender
    kind: MessageKind = MessageKind.TEXT
    text: Text = Field(default="", description="The text, caption or transcript")
    duration_seconds: float | None = Field(default=None, ge=0, le=86_400, description="Length of voice or video")
    url: Annotated[str, RawText(max_length=4096)] | None = None
    mentions: tuple[Id, ...] = Field(default=(), max_length=1000)
    reply_to: Id | None = None
    sent_at: Instant


class EditedMessage(Message):
    """A message whose content was changed; everything is repeated."""

    revision: int = Field(ge=1, le=1_000_000, description="1 for the first edit, rising")


class Recall(Payload):
    """A message that was withdrawn."""

    message_id: Id
    group_id: Id | None = None
    recalled_by: Id


class MessageReceived(Event):
    """A member wrote in a group."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["channel.message.received"] = "channel.message.received"
    data: Message

    @property
    def identity(self) -> str:
        """The message itself: a connector that delivers it under a second event id changes nothing."""
        return f"message/{self.data.message_id}/0"


class MessageEdited(Event):
    """A member changed a message."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["channel.message.edited"] = "channel.message.edited"
    data: EditedMessage

    @property
    def identity(self) -> str:
        """The message and its revision."""
        return f"message/{self.data.message_id}/{self.data.revision}"


class MessageRecalled(Event):
    """A message was withdrawn."""

    topic: ClassVar = CHANNEL_MESSAGES
    default_source: ClassVar = "channel"
    type: Literal["channel.message.recalled"] = "channel.message.recalled"
    data: Recall

"""Judged messages: what the other services read, and that a message is withdrawn."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from huiqun.contracts.channel import MessageKind, Role
from huiqun.contracts.envelope import Event, Id, Instant, Payload, construct_unchecked
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId, MemberId, MessageId
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.privacy.text import MaskedText
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.runtime.ids import new_id

RuleName = Annotated[str, MaskedText(min_length=1, max_length=64)]
Category = Annotated[
    RuleName, Field(description="Category of the finding, as policies and word lists name it", examples=["ads"])
]
Severity = Annotated[int, Field(ge=1, le=5, description="How severe it is, from 1 to 5")]


class Verdict(StrEnum):
    """What is to happen with a message, from mild to severe."""

    ALLOW = "allow"
    WARN = "warn"
    REVIEW = "review"
    BLOCK = "block"


class Reason(Payload):
    """A rule that spoke, and on what evidence."""

    rule: RuleName = Field(description="The rule that spoke", examples=["lexicon"])
    category: Category
    severity: Severity
    confidence: float = Field(ge=0, le=1, description="How sure the rule is, from 0 to 1", examples=[0.95])
    spans: tuple[tuple[int, int], ...] = Field(
        default=(), description="Where in the text as kept, from and to, in characters", examples=[[[0, 2]]]
    )
    shadow: bool = Field(default=False, description="Whether the rule was on trial: nothing followed from it")
    word: Annotated[str, MaskedText(max_length=1_000)] | None = Field(
        default=None, description="The word that was found, after its list", examples=["huiqun/加薇"]
    )
    stream: Annotated[str, MaskedText(max_length=32)] | None = Field(
        default=None, description="In which spelling the word was found", examples=["pinyin"]
    )


class MaskedQuotation(Payload):
    """What a message quotes, masked, and as much of it as anybody needs to know what is meant."""

    message_id: Id | None = Field(default=None, description="The quoted message's id, where the platform tells it")
    member_id: Id | None = Field(default=None, description="Who wrote what is quoted, where the platform tells it")
    masked_text: Annotated[str, MaskedText()] = Field(
        default="", description="How what is quoted begins, masked", examples=["请问什么时候到账？"]
    )


class Screened(Payload):
    """A judged message, masked; this is what the other services read."""

    channel: ChannelSource = DEFAULT_CHANNEL
    message_id: MessageId
    group_id: GroupId
    member_id: MemberId
    role: Role = Field(description="What the sender is in the group")
    kind: MessageKind = Field(default=MessageKind.TEXT, description="The form of the message")
    duration_seconds: float | None = Field(
        default=None, description="Length of a voice message or video, in seconds", examples=[12.5]
    )
    url: Annotated[str, MaskedText()] | None = Field(
        default=None, description="What a link or card leads to, masked", examples=["https://www.example.com/notice"]
    )
    revision: int = Field(default=0, ge=0, description="Which edit of the message this is: 0 as first sent, rising")
    verdict: Verdict = Field(description="What is to happen with the message")
    reasons: tuple[Reason, ...] = Field(default=(), description="The rules that spoke, the severest hundred of them")
    policy_version: str = Field(
        max_length=128,
        description="Policy and version; +d2 over version 2 of the default, +g1 under a group's own rules, +p private",
        examples=["vip@3+d2+g1"],
    )
    lexicon_version: str = Field(
        max_length=128, description="When the lexicon that was read changed last", examples=["2026-11-22T08:00:00Z"]
    )
    masked_text: Annotated[str, MaskedText()] = Field(
        description="The text, masked; of a very long one, how it begins and ends", examples=["您好，已收到。"]
    )
    left_out: int = Field(default=0, ge=0, description="Characters between beginning and end that nobody has judged")
    mentions: tuple[Id, ...] = Field(
        default=(), description="Whom the message mentions, by member id; the first hundred", examples=[["member-2"]]
    )
    reply_to: Id | None = Field(default=None, description="The message that this one answers, by its id in the group")
    quoted: MaskedQuotation | None = Field(default=None, description="The earlier message that this one quotes, masked")
    sent_at: Instant = Field(description="When the message was sent, as far as its sender's clock is believed")


class MessageScreened(Event):
    """A message was judged."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.message.screened"] = "moderation.message.screened"
    data: Screened

    @classmethod
    def create_unchecked(cls, data: Screened, *, time: datetime, cause: Event) -> Self:
        """What `about` makes of it, in half the time: there is one for every message."""
        fields = {
            "specversion": "1.0",
            "id": new_id(),
            "source": cls.default_source,
            "type": "moderation.message.screened",
            "time": time,
            "subject": data.group_id,
            "datacontenttype": "application/json",
            "dataschema": None,
            "traceparent": cause.traceparent,
            "data": data,
        }
        return construct_unchecked(cls, fields)

    @property
    def written_at(self) -> datetime:
        """When the message was written; a sender whose clock runs ahead wrote it when it was judged."""
        return truncate_to_milliseconds(min(self.data.sent_at, self.time))


class RecalledMessage(Payload):
    """A judged message that nobody sees any more, because its sender or staff took it back."""

    channel: ChannelSource = DEFAULT_CHANNEL
    message_id: MessageId
    group_id: GroupId
    member_id: Id = Field(description="Who wrote the message, by member id", examples=["member-1"])
    recalled_by: Id = Field(description="Who took the message back, by member id", examples=["member-1"])
    verdict: Verdict = Field(description="How the message was judged as first sent: an offence stays one")


class JudgedMessageRecalled(Event):
    """A message is withdrawn: what was counted for it is taken back where that is fair, not where it was an offence."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.message.recalled"] = "moderation.message.recalled"
    data: RecalledMessage

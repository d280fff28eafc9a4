"""Fields that many events share, each with what it means: an id without its channel says nothing."""

from typing import Annotated, Final, NamedTuple

from pydantic import Field

from huiqun.contracts.envelope import Id, Instant, Payload, Source

#: The channel of events that were written before they named one, and of whoever has only one.
DEFAULT_CHANNEL: Final = "channel"

ChannelSource = Annotated[
    Source,
    Field(
        description="The source of the channel's events: ids of groups, members and messages are unique within it",
        examples=["wecom/ww1234567890abcdef"],
    ),
]
GroupId = Annotated[Id, Field(description="The group, by its id within the channel", examples=["group-1"])]
MemberId = Annotated[
    Id, Field(description="The member, by the id of their account within the channel", examples=["member-1"])
]
MessageId = Annotated[Id, Field(description="The message, by its id within its group", examples=["message-1"])]
Happened = Annotated[Instant, Field(description="When it happened, RFC 3339 in UTC")]


class MemberRef(Payload):
    """A member of whatever channel; lists of them stand in `members`."""

    channel: ChannelSource = DEFAULT_CHANNEL
    member_id: MemberId


class Account(NamedTuple):
    """A member as a value: an account on a channel, the same in all its groups."""

    channel: str
    member_id: str

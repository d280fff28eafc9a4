"""Who sends and who receives which events; the services' own routing tables are tested to say the same."""

from collections.abc import Mapping

from huiqun.contracts.catalog import EVENTS_BY_TOPIC
from huiqun.contracts.channel import (
    ActionRequested,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.contracts.topics import CHANNEL_MEMBERS, CHANNEL_MESSAGES, CHANNEL_RECEIPTS, MODERATION_DECISIONS

Events = tuple[type[Event], ...]

SENT: Mapping[str, Events] = {
    "channel": (
        *EVENTS_BY_TOPIC[CHANNEL_MESSAGES.name],
        *EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name],
        *EVENTS_BY_TOPIC[CHANNEL_RECEIPTS.name],
    ),
    "moderation": (ActionRequested, *EVENTS_BY_TOPIC[MODERATION_DECISIONS.name]),
    "engagement": (),
    "crm-sync": (),
    "survey": (),
}

RECEIVED: Mapping[str, Events] = {
    "channel": (ActionRequested,),
    "moderation": (
        *EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name],
        *(MessageReceived, MessageEdited, MessageRecalled),
        *EVENTS_BY_TOPIC[CHANNEL_RECEIPTS.name],
    ),
    "engagement": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened),
    "crm-sync": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened),
    "survey": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened),
}

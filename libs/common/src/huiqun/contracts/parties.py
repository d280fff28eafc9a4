"""Who sends and who receives which events; the services' own routing tables are tested to say the same."""

from collections.abc import Mapping

from huiqun.contracts.catalog import EVENTS_BY_TOPIC, PLANNED_EVENTS
from huiqun.contracts.channel import (
    ActionRequested,
    ActionWithdrawn,
    MessageEdited,
    MessageRecalled,
    MessageReceived,
)
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import MessageScreened
from huiqun.contracts.topics import (
    CHANNEL_FACTS,
    CHANNEL_MEMBERS,
    CHANNEL_MESSAGES,
    CHANNEL_RECEIPTS,
    CONTACT_ANSWERS,
    CONTACT_REQUESTS,
    CRM_EVENTS,
    ENGAGEMENT_EVENTS,
    MODERATION_DECISIONS,
    PRIVACY_RECEIPTS,
    PRIVACY_REQUESTS,
    SURVEY_EVENTS,
    Topic,
)

Events = tuple[type[Event], ...]

SENT: Mapping[str, Events] = {
    "channel": (
        *EVENTS_BY_TOPIC[CHANNEL_MESSAGES.name],
        *EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name],
        *EVENTS_BY_TOPIC[CHANNEL_RECEIPTS.name],
    ),
    "moderation": (ActionRequested, ActionWithdrawn, *EVENTS_BY_TOPIC[MODERATION_DECISIONS.name]),
    "engagement": (),
    "crm-sync": (),
    "survey": (),
}

RECEIVED: Mapping[str, Events] = {
    "channel": (ActionRequested, ActionWithdrawn),
    "moderation": (
        *EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name],
        *(MessageReceived, MessageEdited, MessageRecalled),
        *EVENTS_BY_TOPIC[CHANNEL_RECEIPTS.name],
    ),
    "engagement": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened),
    "crm-sync": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened),
    "survey": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened),
}


def _planned(*topics: Topic) -> Events:
    return tuple(event for event in PLANNED_EVENTS if event.topic in topics)


#: Who will send the events that nobody sends yet.
WILL_SEND: Mapping[str, Events] = {
    "channel": _planned(CHANNEL_FACTS),
    "moderation": _planned(PRIVACY_RECEIPTS),
    "engagement": _planned(ENGAGEMENT_EVENTS, CONTACT_ANSWERS, PRIVACY_RECEIPTS),
    "crm-sync": _planned(CRM_EVENTS, PRIVACY_REQUESTS, PRIVACY_RECEIPTS),
    "survey": _planned(SURVEY_EVENTS, CONTACT_REQUESTS, PRIVACY_RECEIPTS),
}

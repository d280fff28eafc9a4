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
from huiqun.contracts.privacy import AccessCompleted, AccessRequested, ErasureCompleted, ErasureRequested
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
    SURVEY_EVENTS,
    Topic,
)

Events = tuple[type[Event], ...]

#: What people ask of their data, and what every service answers.
PERSON_REQUESTS: Events = (ErasureRequested, AccessRequested)
PERSON_RECEIPTS: Events = (ErasureCompleted, AccessCompleted)

EVENTS_SENT: Mapping[str, Events] = {
    "channel": (
        *EVENTS_BY_TOPIC[CHANNEL_MESSAGES.name],
        *EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name],
        *EVENTS_BY_TOPIC[CHANNEL_RECEIPTS.name],
    ),
    "whoever-asks": PERSON_REQUESTS,
    "moderation": (
        *(ActionRequested, ActionWithdrawn),
        *EVENTS_BY_TOPIC[MODERATION_DECISIONS.name],
        *PERSON_RECEIPTS,
    ),
    "engagement": PERSON_RECEIPTS,
    "crm-sync": PERSON_RECEIPTS,
    "survey": PERSON_RECEIPTS,
}

EVENTS_RECEIVED: Mapping[str, Events] = {
    "channel": (ActionRequested, ActionWithdrawn),
    "moderation": (
        *EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name],
        *(MessageReceived, MessageEdited, MessageRecalled),
        *EVENTS_BY_TOPIC[CHANNEL_RECEIPTS.name],
        *PERSON_REQUESTS,
    ),
    "engagement": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened, *PERSON_REQUESTS),
    "crm-sync": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened, *PERSON_REQUESTS),
    "survey": (*EVENTS_BY_TOPIC[CHANNEL_MEMBERS.name], MessageScreened, *PERSON_REQUESTS),
}


def _planned(*topics: Topic) -> Events:
    return tuple(event for event in PLANNED_EVENTS if event.topic in topics)


#: Who will send the events that nobody sends yet.
EVENTS_PLANNED: Mapping[str, Events] = {
    "channel": _planned(CHANNEL_FACTS),
    "engagement": _planned(ENGAGEMENT_EVENTS, CONTACT_ANSWERS),
    "crm-sync": _planned(CRM_EVENTS),
    "survey": _planned(SURVEY_EVENTS, CONTACT_REQUESTS),
}

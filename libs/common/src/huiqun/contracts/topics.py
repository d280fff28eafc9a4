"""The topics: who owns each, what it is keyed by, and how long it is kept."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic; `key` says in words what records are keyed by, and so what stays in order."""

    name: str
    owner: str
    key: str = "group id"
    retention: timedelta = timedelta(days=7)


CHANNEL_MESSAGES = Topic("channel.messages.v1", "channel")
CHANNEL_MEMBERS = Topic("channel.members.v1", "channel")
CHANNEL_ACTIONS = Topic("channel.actions.v1", "whoever asks")
CHANNEL_RECEIPTS = Topic("channel.receipts.v1", "channel")
MODERATION_DECISIONS = Topic("moderation.decisions.v1", "moderation")
ENGAGEMENT_EVENTS = Topic("engagement.events.v1", "engagement")
CRM_EVENTS = Topic("crm.events.v1", "crm-sync", key="customer id")
SURVEY_EVENTS = Topic("survey.events.v1", "survey")
PRIVACY_REQUESTS = Topic("privacy.requests.v1", "whoever asks", key="person id")
PRIVACY_RECEIPTS = Topic("privacy.receipts.v1", "each service", key="person id")

SERVICES = ("moderation", "engagement", "crm-sync", "survey")


def dead_letters_of(service: str) -> Topic:
    """The topic that keeps what `service` could not process, as it came."""
    return Topic(f"{service}.dead-letters.v1", service, key="as it came", retention=timedelta(days=30))


TOPICS: tuple[Topic, ...] = (
    CHANNEL_MESSAGES,
    CHANNEL_MEMBERS,
    CHANNEL_ACTIONS,
    CHANNEL_RECEIPTS,
    MODERATION_DECISIONS,
    ENGAGEMENT_EVENTS,
    CRM_EVENTS,
    SURVEY_EVENTS,
    PRIVACY_REQUESTS,
    PRIVACY_RECEIPTS,
    *(dead_letters_of(service) for service in SERVICES),
)

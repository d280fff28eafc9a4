"""The topics: who owns each, what it is keyed by, and how long it is kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, get_args

GROUP_ID: Final = "group id"


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic; `key` says in words what records are keyed by, and so what stays in order."""

    name: str
    owner: str
    about: str
    key: str = GROUP_ID
    retention: timedelta = timedelta(days=7)

    @property
    def is_keyed_by_group(self) -> bool:
        """Whether the subject of its events is the group that they are about, where they are about one."""
        return self.key == GROUP_ID


CHANNEL_MESSAGES = Topic(
    "channel.messages.v1", "channel", "What members write, change and withdraw, as the chat platform delivered it."
)
CHANNEL_MEMBERS = Topic("channel.members.v1", "channel", "Who comes and goes, and what groups there are.")
CHANNEL_FACTS = Topic(
    "channel.facts.v1", "channel", "What only the platform knows: staff's own mass messages, sign-ins, figures."
)
CHANNEL_ACTIONS = Topic("channel.actions.v1", "whoever asks", "What the channel is asked to do, each thing once.")
CHANNEL_RECEIPTS = Topic("channel.receipts.v1", "channel", "What became of what the channel was asked to do.")
MODERATION_DECISIONS = Topic(
    "moderation.decisions.v1",
    "moderation",
    "Judged and masked messages, sanctions, policies in force. Whoever wants messages reads them here.",
)
ENGAGEMENT_EVENTS = Topic("engagement.events.v1", "engagement", "Campaigns, points, draws, benefits, questions.")
CONTACT_REQUESTS = Topic(
    "contact.requests.v1",
    "whoever asks",
    "Who wants the attention of a member or group, and for what.",
    key="member id, or group id where there is none",
)
CONTACT_ANSWERS = Topic(
    "contact.answers.v1", "engagement", "Whether attention may be asked for, and why not.", key="as the request"
)
CRM_EVENTS = Topic("crm.events.v1", "crm-sync", "What changed about customers.", key="customer id")
SURVEY_EVENTS = Topic("survey.events.v1", "survey", "Invitations, responses and results of surveys.")
PRIVACY_REQUESTS = Topic(
    "privacy.requests.v1",
    "whoever asks",
    "Whose data is to be erased, or to be shown to them.",
    key="person id",
    retention=timedelta(days=90),
)
PRIVACY_RECEIPTS = Topic(
    "privacy.receipts.v1",
    "each service",
    "Whose data has been erased or is ready to be shown, and by which service.",
    key="person id",
    retention=timedelta(days=90),
)

ServiceName = Literal["moderation", "engagement", "crm-sync", "survey"]
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)


def dead_letters_of(service: str) -> Topic:
    """The topic that keeps what `service` could not process, as it came."""
    return Topic(
        f"{service}.dead-letters.v1",
        service,
        f"Records that {service} could not process, as they came, with headers that say where from, when and why.",
        key="as it came",
        retention=timedelta(days=30),
    )


TOPICS: tuple[Topic, ...] = (
    CHANNEL_MESSAGES,
    CHANNEL_MEMBERS,
    CHANNEL_FACTS,
    CHANNEL_ACTIONS,
    CHANNEL_RECEIPTS,
    MODERATION_DECISIONS,
    ENGAGEMENT_EVENTS,
    CONTACT_REQUESTS,
    CONTACT_ANSWERS,
    CRM_EVENTS,
    SURVEY_EVENTS,
    PRIVACY_REQUESTS,
    PRIVACY_RECEIPTS,
    *(dead_letters_of(service) for service in SERVICES),
)

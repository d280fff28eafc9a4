"""Whether the broker has the topics that a service reads and writes, and lets it see them."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NoError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from huiqun.contracts.topics import TOPICS
from huiqun.runtime.misconfiguration import MisconfigurationError

if TYPE_CHECKING:
    from huiqun.kafka import KafkaOptions

# Owners, in the words of the contracts, that stand for any service.
_ANYBODY: Final = frozenset({"whoever asks", "each service"})


class TopicsUnavailableError(MisconfigurationError, KafkaError):  # type: ignore[misc] # aiokafka is untyped
    """The broker answers and lacks topics, or does not let us use them; the message names them."""

    def __str__(self) -> str:
        return str(self.args[0])


def topics_written_by(service: str) -> list[str]:
    """The topics that a service may write to: its own, its dead letters among them, and those that are everybody's."""
    return [topic.name for topic in TOPICS if topic.owner == service or topic.owner in _ANYBODY]


async def check_topics_exist(client: AIOKafkaClient, options: "KafkaOptions", names: Collection[str]) -> None:
    """Raise TopicsUnavailableError unless the broker has all of the topics and lets us see them; it creates none."""
    asked = [options.prefix + name for name in dict.fromkeys(names)]
    answer = await client.send(client.get_random_node(), MetadataRequest(asked, allow_auto_topic_creation=False))
    errors = {topic[1]: for_code(topic[0]) for topic in answer.topics}
    missing = [name for name in asked if errors.get(name, UnknownTopicOrPartitionError) is UnknownTopicOrPartitionError]
    forbidden = [name for name in asked if errors.get(name) is TopicAuthorizationFailedError]
    others = [f"{name}: {error.__name__}" for name, error in errors.items() if error is not NoError]
    sentences = []
    if missing:
        sentences.append(f"has no {', '.join(missing)}: run `huiqun topics create`")
    if forbidden:
        user = options.security.username or "everybody"
        sentences.append(f"does not let us use {', '.join(forbidden)}: grant {user} Describe, Read and Write on them")
    if sentences or others:
        raise TopicsUnavailableError(f"Kafka at {options.bootstrap} {'; it '.join(sentences or others)}")

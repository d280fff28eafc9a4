"""What the lanes of a consumer share."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from huiqun.contracts.topics import Topic
from huiqun.stream.breaker import Place
from huiqun.stream.guard import PartitionGuard
from huiqun.stream.routes import RoutingTable
from huiqun.work import Transactor


@dataclass(frozen=True, slots=True)
class Line:
    """The service, its topics by the names that the broker knows, its routes, and what guards its partitions."""

    service: str
    prefix: str
    topics: Mapping[str, Topic]
    table: RoutingTable
    transactor: Transactor
    guard: PartitionGuard

    def place_of(self, where: TopicPartition | ConsumerRecord) -> Place:
        """The partition, by the topic's name without the prefix."""
        return Place(self.topics[where.topic].name, where.partition)

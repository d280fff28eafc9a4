"""What the lanes of a consumer share."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from huiqun.contracts.topics import Topic
from huiqun.stream.breaker import PartitionId
from huiqun.stream.guard import PartitionGuard
from huiqun.stream.routes import RoutingTable
from huiqun.work import Transactor


@dataclass(frozen=True, slots=True)
class ConsumerContext:
    """The service, its topics by the names that the broker knows, its routes, and what guards its partitions."""

    service: str
    prefix: str
    topics: Mapping[str, Topic]
    table: RoutingTable
    transactor: Transactor
    guard: PartitionGuard

    def partition_id_of(self, where: TopicPartition | ConsumerRecord) -> PartitionId:
        """The partition, by the topic's name without the prefix."""
        return PartitionId(self.topics[where.topic].name, where.partition)

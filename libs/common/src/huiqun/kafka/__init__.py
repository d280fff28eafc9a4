"""Apache Kafka: the connection, topics, records out. `huiqun.stream` reads."""

from huiqun.kafka.publisher import KafkaOptions, Publisher

__all__ = ["KafkaOptions", "Publisher"]

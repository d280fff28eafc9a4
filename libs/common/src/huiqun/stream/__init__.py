"""Kafka in, handler, one transaction, Kafka out."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index
from huiqun.stream.consumer import BatchConsumer, ConsumerOptions
from huiqun.stream.controls import CONTROL_INDEXES
from huiqun.stream.inbox import INBOX_INDEXES
from huiqun.stream.lag import LagWatch
from huiqun.stream.outbox import OUTBOX_INDEXES
from huiqun.stream.parked import PARKED_INDEXES
from huiqun.stream.publisher import KafkaOptions, Publisher
from huiqun.stream.relay import Relay
from huiqun.stream.routes import Route
from huiqun.stream.transactor import Transactor
from huiqun.stream.work import Work

STREAM_INDEXES: Mapping[str, Sequence[Index]] = {
    **INBOX_INDEXES,
    **OUTBOX_INDEXES,
    **PARKED_INDEXES,
    **CONTROL_INDEXES,
}

__all__ = [
    "STREAM_INDEXES",
    "BatchConsumer",
    "ConsumerOptions",
    "KafkaOptions",
    "LagWatch",
    "Publisher",
    "Relay",
    "Route",
    "Transactor",
    "Work",
]

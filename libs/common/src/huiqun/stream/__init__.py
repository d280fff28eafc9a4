"""Kafka in: records to events, events to handlers, each batch in one unit of work."""

from huiqun.stream.consumer import BatchConsumer, ConsumerOptions
from huiqun.stream.controls import CONTROL_INDEXES
from huiqun.stream.lag import LagMonitor
from huiqun.stream.routes import Route

STREAM_INDEXES = CONTROL_INDEXES

__all__ = ["STREAM_INDEXES", "BatchConsumer", "ConsumerOptions", "LagMonitor", "Route"]

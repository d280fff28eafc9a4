"""Every Prometheus metric that all services share, each with the question it answers.

A process has one /metrics, and its series end with it. Labels have few values, which a sender cannot add to: topics and
services, routes, kinds that our code names, errors by `error_label`.
"""

import platform
from collections.abc import Iterable
from itertools import product
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# They would be a second series for each of ours, which nobody has declared.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From half a millisecond to ten seconds: the message path lives in the lower half, outages in the upper.
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELAYS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
_COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

CONSUMER_LAG: Final = Gauge(
    "huiqun_consumer_lag_records",
    "How many records of this partition has the consumer not yet acknowledged?",
    ["consumer", "topic", "partition"],
)
BATCH_SIZE: Final = Histogram(
    "huiqun_batch_records",
    "How many records did one poll bring? Large batches mean that the consumer is catching up.",
    ["consumer"],
    buckets=_COUNTS,
)
STAGE_SECONDS: Final = Histogram(
    "huiqun_stage_seconds",
    "Where does a batch spend its time? Stages: decode, handle (with its commit), publish, offsets.",
    ["consumer", "stage"],
    buckets=_SECONDS,
)
RECORDS: Final = Counter(
    "huiqun_records_total",
    "What became of the records of the types that are handled? Outcomes: handled, duplicate, dead.",
    ["consumer", "topic", "outcome"],
)
RETRIES: Final = Counter(
    "huiqun_retries_total",
    "How often was a batch, task or request run again, and which error made it necessary?",
    ["consumer", "error"],
)
DEAD_LETTERS: Final = Counter(
    "huiqun_dead_letters_total",
    "Which records could not be processed, and what kind of reason? Each one needs a person's look.",
    ["consumer", "topic", "reason"],
)
BREAKERS_OPEN: Final = Gauge(
    "huiqun_consumer_breakers_open",
    "How many partitions of this process are paused because our handlers fail on them? `huiqun consumer status` tells.",
    ["consumer"],
)
MISPLACED_RECORDS: Final = Counter(
    "huiqun_misplaced_records_total",
    "Does a sender choose partitions otherwise than Kafka's own clients (murmur2)? Its groups lose their order.",
    ["consumer", "topic"],
)
RECORDS_PUBLISHED: Final = Counter(
    "huiqun_records_published_total",
    "How many records has this process put on each topic, dead letters included?",
    ["topic"],
)
OUTBOX_DEPTH: Final = Gauge(
    "huiqun_outbox_batches",
    "How many committed batches still wait to be published? It is zero when the broker answers.",
)
OUTBOX_RELAYED: Final = Counter(
    "huiqun_outbox_relayed_total",
    "How many batches did the relay publish because a process died between its commit and its publish?",
)
OUTBOX_PARKED: Final = Counter(
    "huiqun_outbox_parked_total",
    "How many records has this process set aside because they are larger than their topic takes?",
    ["topic"],
)
OUTBOX_PARKED_RECORDS: Final = Gauge(
    "huiqun_outbox_parked_records",
    "How many records of this service are parked now? Each waits for a person: `huiqun outbox list`.",
)
TASK_DELAY: Final = Histogram(
    "huiqun_task_delay_seconds",
    "How long after its due time did a task run?",
    ["kind"],
    buckets=_DELAYS,
)
TASKS_RUN: Final = Counter(
    "huiqun_tasks_total",
    "How many tasks ran, and how did they end? Outcomes: done, interrupted, retried, failed.",
    ["kind", "outcome"],
)
TASKS_FAILED: Final = Gauge(
    "huiqun_tasks_failed",
    "How many tasks have been given up and wait for an operator? `huiqun tasks list --state failed` shows them.",
    ["kind"],
)
TASKS_DUE: Final = Gauge(
    "huiqun_tasks_due",
    "How many tasks of this queue are due and not done?",
    ["queue"],
)
TASK_QUEUE_DELAY: Final = Gauge(
    "huiqun_task_queue_delay_seconds",
    "How long has the oldest task of this queue been due? It grows where the queue's concurrency is too low.",
    ["queue"],
)
READY: Final = Gauge(
    "huiqun_ready",
    "Does this dependency answer (1) or not (0)? A process with a zero takes no traffic.",
    ["check"],
)
HTTP_REQUESTS: Final = Counter(
    "huiqun_http_requests_total",
    "Which routes are called, and how do the calls end?",
    ["method", "route", "status"],
)
HTTP_SECONDS: Final = Histogram(
    "huiqun_http_request_seconds",
    "How long does a caller wait for an answer of this route?",
    ["method", "route"],
    buckets=_SECONDS,
)
BUILD_INFO: Final = Gauge(
    "huiqun_build_info",
    "Which version of which service runs here, built from which revision, on which Python? The value is always 1.",
    ["service", "version", "revision", "python"],
)

# Whose errors have names that every operator can look up. Ours, and those that a library keeps to itself, have not.
_PUBLIC_PACKAGES: Final = frozenset({"aiokafka", "bson", "builtins", "httpx", "pymongo", "socket", "ssl"})
_ERRORS_OF_ANY_KIND: Final = frozenset({Exception, BaseException, BaseExceptionGroup, ExceptionGroup})
OTHER: Final = "other"


def error_label(error: BaseException | None) -> str:
    """The name of the nearest public class of an error: of Python, the drivers or the broker's client; else "other"."""
    for kind in type(error).__mro__ if error is not None else ():
        public = kind.__module__.partition(".")[0] in _PUBLIC_PACKAGES and not kind.__name__.startswith("_")
        if public and issubclass(kind, BaseException) and kind not in _ERRORS_OF_ANY_KIND:
            return kind.__name__
    return OTHER


def initialize_series(counter: Counter, **values: Iterable[str]) -> None:
    """Export all combinations of these label values at once: a series that begins with 1 has, to a rate, not risen."""
    for combination in product(*values.values()):
        counter.labels(**dict(zip(values, combination, strict=True)))


def export_build_info(service: str, version: str, revision: str) -> None:
    """Say what runs here."""
    BUILD_INFO.labels(service=service, version=version, revision=revision, python=platform.python_version()).set(1)

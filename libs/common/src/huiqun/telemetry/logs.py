"""Log lines as JSON on standard output: one object a line, with the trace they belong to and without secrets."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import Final, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from huiqun.telemetry.repetition import RepetitionFilter
from huiqun.telemetry.tracing import current_traceparent, parse_traceparent

REDACTED: Final = "[redacted]"
_SECRET_NAME: Final = re.compile(
    r"passw(or)?d|secret|token|authorization|credential|cookie|api[_-]?key|private[_-]?key", re.IGNORECASE
)
# At DEBUG they log whole requests: the password that signs in, the events, the documents.
_DRIVERS: Final = ("aiokafka", "pymongo")
# Secrets also travel inside texts: connection strings, headers, our own API keys.
_SECRET_TEXT: Final = re.compile(
    r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)|(?<=Bearer )[\w.~+/=-]+|(?i:(?<=password=))[^&\s'\"]+|\bhq_[0-9a-z]+_[\w-]+"
)


def configure_logs(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers through one JSON formatter; the last call wins."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
    ]
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _named(service),
                redact,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    handler.addFilter(RepetitionFilter())
    root.handlers = [handler]
    root.setLevel(level.upper())
    for driver in _DRIVERS:
        logging.getLogger(driver).setLevel(max(root.level, logging.INFO))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the trace and the span the line was written in."""
    context = parse_traceparent(current_traceparent())
    if context is not None:
        event["trace_id"] = context.trace_id
        event["span_id"] = context.span_id
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every value whose name or text says that it is a secret, however deep it stands."""
    return {name: REDACTED if _SECRET_NAME.search(name) else _without_secrets(value) for name, value in event.items()}


def _without_secrets(value: object) -> object:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if _SECRET_NAME.search(str(name)) else _without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _SECRET_TEXT.sub(REDACTED, str(value))


def _named(service: str) -> Processor:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add_service


def _to_json(event: EventDict, **_options: object) -> str:
    try:
        return orjson.dumps(event).decode()
    except (TypeError, ValueError):  # lone surrogates and integers beyond 64 bits: a log line must not fail over them
        return json.dumps(event)

"""Log lines as JSON on standard output: one object a line, with its trace, without secrets and personal data."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import Final, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from huiqun.privacy.text import mask_values
from huiqun.telemetry.errors import format_error_chain
from huiqun.telemetry.repetition import RepetitionFilter
from huiqun.telemetry.tracing import current_traceparent, parse_traceparent

REDACTED: Final = "[redacted]"
_SECRET_NAME: Final = re.compile(
    r"passw(or)?d|secret|token|authorization|credential|cookie|api[_-]?key|private[_-]?key", re.IGNORECASE
)
# Below these levels they log whole requests: the password that signs in, the events, the documents, the addresses.
_LEAST_LEVELS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("aiokafka", "pymongo"), logging.INFO),
    **dict.fromkeys(("asyncio", "httpcore", "httpx", "urllib3"), logging.WARNING),
}
# Secrets also travel inside texts: connection strings, headers, our own API keys.
_SECRET_TEXT: Final = re.compile(
    r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)|(?<=Bearer )[\w.~+/=-]+|(?i:(?<=password=))[^&\s'\"]+|\bhq_[0-9a-z]+_[\w-]+"
)
# Ours, whole and not from outside: they would only be damaged.
_OWN_FIELDS: Final = frozenset({"timestamp", "level", "logger", "service", "trace_id", "span_id"})
# How far the lines of these loggers can be shown; behind that they repeat arguments, results and texts of errors.
_SHOWN: Final[Mapping[str, re.Pattern[str]]] = {
    "asyncio": re.compile(r"[^\n(<]*"),
    "py.warnings": re.compile(r"[^\n]*?:\d+: \w+(?=:)"),
}


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
                replace_error,
                _named(service),
                redact_secrets,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    handler.addFilter(RepetitionFilter())
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, least in _LEAST_LEVELS.items():
        logging.getLogger(name).setLevel(max(root.level, least))
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


def redact_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every value whose name or text says that it is a secret, and mask personal data, however deep it stands.

    An id that is a person's number is masked like any text: identity is for the store, not for the log.
    """
    return {
        name: value if name in _OWN_FIELDS else mask_values(REDACTED if _is_secret(name) else _without_secrets(value))
        for name, value in event.items()
    }


def _without_secrets(value: object) -> object:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if _is_secret(str(name)) else _without_secrets(inner) for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _SECRET_TEXT.sub(REDACTED, str(value))


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def replace_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the history of an error in place of the error, whose message may quote anything."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = format_error_chain(error)
    shown = _SHOWN.get(str(event.get("logger")))
    if shown is not None and (match := shown.match(str(event["event"]))):
        event["event"] = match.group().strip()
    return event


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

"""What operators see of a running process: logs, metrics and traces."""

from huiqun.telemetry.errors import describe_error, history_of, reason_of, traceback_of
from huiqun.telemetry.logs import configure_logs
from huiqun.telemetry.strays import log_strays
from huiqun.telemetry.tracing import (
    Span,
    TraceContext,
    child_traceparent,
    current_traceparent,
    new_traceparent,
    parse_traceparent,
    start_span,
    start_tracing,
    stop_tracing,
)

__all__ = [
    "Span",
    "TraceContext",
    "child_traceparent",
    "configure_logs",
    "current_traceparent",
    "describe_error",
    "history_of",
    "log_strays",
    "new_traceparent",
    "parse_traceparent",
    "reason_of",
    "start_span",
    "start_tracing",
    "stop_tracing",
    "traceback_of",
]

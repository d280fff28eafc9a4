"""What operators see of a running process: logs, metrics and traces."""

from huiqun.telemetry.errors import describe_error, format_error_chain, format_frames, locate_error
from huiqun.telemetry.logs import configure_logs
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
from huiqun.telemetry.uncaught import log_uncaught

__all__ = [
    "Span",
    "TraceContext",
    "child_traceparent",
    "configure_logs",
    "current_traceparent",
    "describe_error",
    "format_error_chain",
    "format_frames",
    "locate_error",
    "log_uncaught",
    "new_traceparent",
    "parse_traceparent",
    "start_span",
    "start_tracing",
    "stop_tracing",
]

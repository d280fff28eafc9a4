"""What operators see of a running process: logs, metrics and traces."""

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

__all__ = [
    "Span",
    "TraceContext",
    "child_traceparent",
    "configure_logs",
    "current_traceparent",
    "new_traceparent",
    "parse_traceparent",
    "start_span",
    "start_tracing",
    "stop_tracing",
]

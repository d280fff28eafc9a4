"""Follow one event through all services: the W3C traceparent it carries, and OpenTelemetry spans where they are wanted.

Ten thousand events a second leave no room for a span object each. A traceparent is therefore handed on as a string with
a new span id, and a real span is made only where tracing is configured and the trace is sampled.
"""

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar, Token
from random import getrandbits  # ids, not secrets: os.urandom would cost a system call per event
from types import TracebackType
from typing import Final, NamedTuple, Self, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from huiqun.telemetry.errors import format_error_chain

Attributes: TypeAlias = Mapping[str, str | int | float | bool]

_TRACEPARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII
)
_current: ContextVar[str | None] = ContextVar("huiqun_traceparent", default=None)
_provider: TracerProvider | None = None


class TraceContext(NamedTuple):
    """What a traceparent says: 32 and 16 hex digits, and whether the trace is recorded."""

    trace_id: str
    span_id: str
    sampled: bool

    def __str__(self) -> str:
        """Return the traceparent, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse_traceparent(text: str | None) -> TraceContext | None:
    """Read a W3C traceparent; None for anything malformed, as the specification asks."""
    match = _TRACEPARENT.fullmatch(text) if text else None
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "00" and rest:  # only later versions may append fields
        return None
    return TraceContext(trace_id, span_id, sampled=bool(int(flags, 16) & 1))


def new_traceparent() -> str:
    """Begin a trace that nobody records."""
    return f"00-{getrandbits(128) or 1:032x}-{getrandbits(64) or 1:016x}-00"


def child_traceparent(parent: str | None) -> str:
    """Hand the trace on: same trace id and flags, a new span id; a new trace if the parent is missing or malformed."""
    if parent is None or len(parent) != 55 or not _TRACEPARENT.fullmatch(parent):
        context = parse_traceparent(parent)
        parent = str(context) if context else new_traceparent()
    return f"00{parent[2:36]}{getrandbits(64) or 1:016x}{parent[52:]}"


def current_traceparent() -> str | None:
    """Return the traceparent of the span this task is in."""
    return _current.get()


class Span:
    """One step of a trace, to be used as a context manager or ended by hand; `traceparent` is what events carry on."""

    __slots__ = ("_recorded", "_scope", "_token", "traceparent")

    def __init__(self, traceparent: str, recorded: otel.Span | None) -> None:
        """Wrap the SDK's span, or stand in for one that is not recorded."""
        self.traceparent = traceparent
        self._recorded = recorded
        self._token: Token[str | None] | None = None
        self._scope: Token[otel_context.Context] | None = None

    def set_attribute(self, name: str, value: str | float | bool) -> None:  # noqa: FBT001 - a span attribute may be a bool
        """Note an attribute that is known only now."""
        if self._recorded is not None:
            self._recorded.set_attribute(name, value)

    def end(self, error: BaseException | None = None) -> None:
        """Finish the span; an error marks it as failed."""
        if self._recorded is None:
            return
        if error is not None:
            # Not `record_exception`, which keeps the message: it may quote somebody's data.
            self._recorded.add_event(
                "exception", {"exception.type": type(error).__name__, "exception.stacktrace": format_error_chain(error)}
            )
            self._recorded.set_status(otel.StatusCode.ERROR, type(error).__name__)
        self._recorded.end()

    def __enter__(self) -> Self:
        """Make it the current span, so that log lines name it."""
        self._token = _current.set(self.traceparent)
        if self._recorded is not None:
            self._scope = otel_context.attach(otel.set_span_in_context(self._recorded))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the span and return to the one around it."""
        if self._scope is not None:
            otel_context.detach(self._scope)
        if self._token is not None:
            _current.reset(self._token)
        self.end(error)


def start_span(
    name: str,
    parent: str | None = None,
    attributes: Attributes | None = None,
    kind: otel.SpanKind = otel.SpanKind.INTERNAL,
) -> Span:
    """Begin a step of the parent's trace, of the current one if no parent is given, or of a new one."""
    parent = parent or _current.get()
    if _provider is None:
        return Span(child_traceparent(parent), None)
    known = parse_traceparent(parent)
    if known is not None and not known.sampled:
        return Span(child_traceparent(parent), None)
    span = _provider.get_tracer("huiqun").start_span(name, _remote(known), kind, attributes)
    made = span.get_span_context()
    context = TraceContext(f"{made.trace_id:032x}", f"{made.span_id:016x}", sampled=made.trace_flags.sampled)
    return Span(str(context), span if span.is_recording() else None)


def _remote(parent: TraceContext | None) -> otel_context.Context:
    """Wrap the parent as the SDK wants it."""
    if parent is None:
        return otel_context.Context()
    flags = otel.TraceFlags(otel.TraceFlags.SAMPLED if parent.sampled else otel.TraceFlags.DEFAULT)
    context = otel.SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return otel.set_span_in_context(otel.NonRecordingSpan(context), otel_context.Context())


def start_tracing(service: str) -> bool:
    """Export spans as the standard OTEL_* variables say; without an endpoint nothing is recorded. Says which it is."""
    global _provider  # noqa: PLW0603 - tracing is one per process, like the environment it is read from
    asked = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if not asked or disabled or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(shutdown_on_exit=False)  # the sampler and the resource come from OTEL_* as well
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _provider = provider
    return True


def is_tracing() -> bool:
    """Whether spans are recorded and exported."""
    return _provider is not None


def stop_tracing() -> None:
    """Send what is still held back; blocks for at most the exporter's time-out."""
    global _provider
    provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()

"""Every request leaves a span, a log line and two figures, and no exception leaves the process."""

import time
from http import HTTPStatus

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huiqun.telemetry import metrics, start_span
from huiqun.web.problems import unexpected_error_response

# Asked every few seconds by machines: their lines would drown the others.
_QUIET = frozenset({"/healthz", "/readyz"})
# What a caller asked for otherwise may be anything: the log, the figures and the spans say only this.
_UNMATCHED = "unmatched"
# A caller may invent methods; figures have a series for these only.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Not a status of the standard; servers use it in their logs for a caller who hung up.
_CLIENT_GONE = 499
log = structlog.get_logger(__name__)


class ObservabilityMiddleware:
    """The outermost layer of an app."""

    def __init__(self, app: ASGIApp) -> None:
        """Watch over `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with start_span(f"{method} request", Headers(scope=scope).get("traceparent"), kind=SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, noting_status)
            except ClientDisconnect:  # nobody is left to answer
                status = status or _CLIENT_GONE
            except Exception as error:  # the last resort: the caller gets a 500, the log where it came from
                log.exception("request failed", route=_route_of(scope), error=type(error).__name__)
                if status == 0:
                    response = unexpected_error_response(Request(scope))
                    await response(scope, receive, noting_status)
            route = _route_of(scope)
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            _note(scope, (method, route), status, time.perf_counter() - started)


def _route_of(scope: Scope) -> str:
    """The template of the route; a path holds ids, and where it is no route's, whatever the caller put there."""
    return str(getattr(scope.get("route"), "path", _UNMATCHED))


def _note(scope: Scope, asked: tuple[str, str], status: int, seconds: float) -> None:
    method, route = asked
    # A route's template keeps the number of series bounded; a path would make one for every id.
    labels = {"method": method, "route": route} if route != _UNMATCHED else {"method": "any", "route": "unknown"}
    metrics.HTTP_REQUESTS.labels(**labels, status=status).inc()
    metrics.HTTP_SECONDS.labels(**labels).observe(seconds)
    write = log.debug if route in _QUIET and status < HTTPStatus.BAD_REQUEST else log.info
    principal = scope.get("state", {}).get("principal")
    write(
        "request answered",
        method=method,
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 2),
        principal=getattr(principal, "id", None),
    )

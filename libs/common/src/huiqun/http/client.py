"""A client for one other system: bounded in time, number and size, and logged without secrets."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import httpx
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from huiqun.http import metrics
from huiqun.http.breaker import CircuitBreaker
from huiqun.telemetry.tracing import current_traceparent

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_UNAVAILABLE: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
# The request has not been sent, or not been carried out: to send it again is safe whatever it asks for.
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OF_THE_WIRE: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
log = structlog.get_logger(__name__)


class RemoteUnavailableError(ConnectionError):
    """The other system does not answer, or says that it cannot; the call may succeed later.

    `was_sent` tells whether the request may have been carried out all the same.
    """

    def __init__(self, client: str, reason: str, *, was_sent: bool) -> None:
        super().__init__(f"{client}: {reason}")
        self.was_sent = was_sent


class RateLimitedError(RemoteUnavailableError):
    """The other system takes no more for now; `retry_after` in seconds, as it says."""

    def __init__(self, client: str, retry_after: float) -> None:
        super().__init__(client, "rate limited", was_sent=False)
        self.retry_after = retry_after


class CircuitOpenError(RemoteUnavailableError):
    """The other system has failed so often that it is left alone for a while; nothing was sent."""

    def __init__(self, client: str) -> None:
        super().__init__(client, "its circuit breaker is open", was_sent=False)


class ResponseTooLargeError(ValueError):
    """The answer is larger than the client accepts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpOptions:
    """How one other system is called. `name` stands in logs and metrics; times are in seconds."""

    name: str
    base_url: str = ""
    timeout_seconds: float = 10.0
    attempts: int = 3
    max_connections: int = 20
    max_response_bytes: int = 16 * 1024 * 1024
    longest_wait_seconds: float = 5.0
    breaker_threshold: int = 5
    breaker_recovery_seconds: float = 30.0


class HttpClient:
    """Calls one other system. Redirects are answers like others: where one leads to is the caller's to judge."""

    def __init__(self, options: HttpOptions, *, verify: Any = True) -> None:  # noqa: ANN401 - as httpx takes it
        self._options = options
        self._breaker = CircuitBreaker(options.breaker_threshold, options.breaker_recovery_seconds)
        self._client = httpx.AsyncClient(
            base_url=options.base_url,
            timeout=options.timeout_seconds,
            limits=httpx.Limits(max_connections=options.max_connections),
            follow_redirects=False,
            verify=verify,
            trust_env=True,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        endpoint: str,
        repeatable: bool | None = None,
        headers: Mapping[str, str] | None = None,
        **content: Any,  # noqa: ANN401 - json, params, content, data, files: as httpx takes them
    ) -> httpx.Response:
        """Send a request and return the answer, read, whatever its status but 429, 502, 503 and 504.

        `endpoint` names the call in logs and metrics, without ids. A request that may have been carried out is sent
        again only if it is `repeatable`: by default where its method is idempotent. Raises RemoteUnavailableError when
        the other system does not answer after the attempts or its breaker is open, RateLimitedError,
        ResponseTooLargeError.
        """
        repeat = method.upper() in _IDEMPOTENT if repeatable is None else repeatable
        trace = current_traceparent()
        sent_headers = {**({"traceparent": trace} if trace else {}), **(headers or {})}

        async def attempt() -> httpx.Response:
            return await self._send(endpoint, self._client.build_request(method, url, headers=sent_headers, **content))

        def may_succeed(error: BaseException) -> bool:
            if isinstance(error, CircuitOpenError):
                return False
            if isinstance(error, RateLimitedError) and error.retry_after > self._options.longest_wait_seconds:
                return False
            return isinstance(error, RemoteUnavailableError) and (repeat or not error.was_sent)

        retrying = AsyncRetrying(
            retry=retry_if_exception(may_succeed),
            wait=self._wait,
            stop=stop_after_attempt(self._options.attempts),
            reraise=True,
        )
        return await retrying(attempt)

    async def _send(self, endpoint: str, request: httpx.Request) -> httpx.Response:
        """One attempt, counted and logged."""
        name = self._options.name
        if not self._breaker.try_acquire():
            metrics.CLIENT_REQUESTS.labels(client=name, endpoint=endpoint, outcome="refused").inc()
            raise CircuitOpenError(name)
        started, outcome = time.perf_counter(), "error"
        try:
            async with asyncio.timeout(self._options.timeout_seconds):
                streamed = await self._client.send(request, stream=True)
                try:
                    response = await self._read(streamed)
                finally:
                    await streamed.aclose()
            outcome = str(response.status_code)
            self._judge(response)
        except (httpx.TransportError, TimeoutError) as error:
            self._breaker.record_failure()
            raise RemoteUnavailableError(name, type(error).__name__, was_sent=not isinstance(error, _UNSENT)) from None
        finally:
            seconds = time.perf_counter() - started
            metrics.CLIENT_REQUESTS.labels(client=name, endpoint=endpoint, outcome=outcome).inc()
            metrics.CLIENT_SECONDS.labels(client=name, endpoint=endpoint).observe(seconds)
            log.debug("request_sent", client=name, endpoint=endpoint, outcome=outcome, milliseconds=int(seconds * 1000))
        return response

    async def _read(self, streamed: httpx.Response) -> httpx.Response:
        """The answer with its body, decoded; raises ResponseTooLargeError."""
        body = bytearray()
        async for chunk in streamed.aiter_bytes():
            body += chunk
            if len(body) > self._options.max_response_bytes:
                raise ResponseTooLargeError(f"{self._options.name}: over {self._options.max_response_bytes} bytes")
        headers = [(name, value) for name, value in streamed.headers.multi_items() if name not in _OF_THE_WIRE]
        return httpx.Response(streamed.status_code, headers=headers, content=bytes(body), request=streamed.request)

    def _judge(self, response: httpx.Response) -> None:
        """Raise what the status says of the other system as a whole."""
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._breaker.record_success()  # it answers
            raise RateLimitedError(self._options.name, parse_retry_after(response))
        if response.status_code in _UNAVAILABLE:
            self._breaker.record_failure()
            raise RemoteUnavailableError(self._options.name, f"status {response.status_code}", was_sent=True)
        self._breaker.record_success()

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimitedError):
            return error.retry_after
        return wait_random_exponential(multiplier=0.2, max=self._options.longest_wait_seconds)(state)


def parse_retry_after(response: httpx.Response) -> float:
    """The seconds that an answer's Retry-After asks to wait, as a number or a date; 1 where it says nothing."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal() and len(text) < 8:
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return 1.0

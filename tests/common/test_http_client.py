"""Calls to other systems, on a real server that answers as it is told to."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from huiqun.http.breaker import CircuitBreaker
from huiqun.http.client import (
    CircuitOpenError,
    HttpClient,
    HttpOptions,
    RateLimitedError,
    RemoteUnavailableError,
    ResponseTooLargeError,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
CUT_OFF = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{"
SILENCE = b""


@dataclass
class OtherSystem:
    """A server that gives its answers one by one, and the last one for ever."""

    answers: list[bytes]
    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == SILENCE:
            await reader.read()  # until the client gives up
        writer.write(answer)
        await writer.drain()
        writer.close()


Start = Callable[..., Awaitable[tuple[OtherSystem, HttpClient]]]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    opened: list[tuple[asyncio.Server, HttpClient]] = []

    async def open_both(*answers: bytes, **options: float) -> tuple[OtherSystem, HttpClient]:
        system = OtherSystem(list(answers))
        server = await asyncio.start_server(system.serve, "127.0.0.1", 0)
        system.port = server.sockets[0].getsockname()[1]
        settings = {"timeout_seconds": 5.0, "longest_wait_seconds": 0.05, **options}
        client = HttpClient(HttpOptions(name="crm", base_url=f"http://127.0.0.1:{system.port}", **settings))  # type: ignore[arg-type]
        opened.append((server, client))
        return system, client

    yield open_both
    for server, client in opened:
        await client.close()
        server.close()


async def test_a_call_is_repeated_while_the_other_system_is_down(start: Start) -> None:
    system, client = await start(DOWN, DOWN, OK)
    assert (await client.request("GET", "/a?token=secret", endpoint="read")).json() == {}
    assert len(system.requests) == 3


async def test_a_call_that_may_have_been_carried_out_is_not_repeated(start: Start) -> None:
    system, client = await start(CUT_OFF, OK)
    with pytest.raises(RemoteUnavailableError) as raised:
        await client.request("POST", "/a", endpoint="write")
    assert raised.value.was_sent
    assert len(system.requests) == 1


async def test_a_call_that_is_said_to_be_repeatable_is(start: Start) -> None:
    system, client = await start(CUT_OFF, OK)
    await client.request("POST", "/a", endpoint="write", repeatable=True)
    assert len(system.requests) == 2


async def test_a_system_that_never_answers_costs_one_timeout_each_time(start: Start) -> None:
    system, client = await start(SILENCE, timeout_seconds=0.2, attempts=2)
    with pytest.raises(RemoteUnavailableError):
        await client.request("GET", "/a", endpoint="read")
    assert len(system.requests) == 2


async def test_a_short_rate_limit_is_waited_for_and_a_long_one_is_told(start: Start) -> None:
    system, client = await start(BUSY % 0, OK)
    assert (await client.request("POST", "/a", endpoint="write")).status_code == 200
    system.answers = [BUSY % 120]
    with pytest.raises(RateLimitedError) as raised:
        await client.request("GET", "/a", endpoint="read")
    assert raised.value.retry_after == 120
    assert len(system.requests) == 3


async def test_other_statuses_are_the_callers_to_judge(start: Start) -> None:
    _, client = await start(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n")
    assert (await client.request("GET", "/a", endpoint="read")).status_code == 302


async def test_an_answer_without_end_is_refused(start: Start) -> None:
    _, client = await start(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4096, max_response_bytes=1024)
    with pytest.raises(ResponseTooLargeError):
        await client.request("GET", "/a", endpoint="read")


async def test_a_system_that_keeps_failing_is_left_alone_for_a_while(start: Start) -> None:
    system, client = await start(DOWN, attempts=1, breaker_threshold=2, breaker_recovery_seconds=0.2)
    for _ in range(2):
        with pytest.raises(RemoteUnavailableError):
            await client.request("GET", "/a", endpoint="read")
    with pytest.raises(CircuitOpenError):
        await client.request("GET", "/a", endpoint="read")
    assert len(system.requests) == 2
    system.answers, response = [OK], None
    deadline = time.monotonic() + 20
    while response is None and time.monotonic() < deadline:
        try:
            response = await client.request("GET", "/a", endpoint="read")
        except CircuitOpenError:
            await asyncio.sleep(0)
    assert response is not None
    assert len(system.requests) == 3


def test_one_call_at_a_time_tries_an_open_breaker() -> None:
    now = 0.0
    breaker = CircuitBreaker(threshold=1, recovery_seconds=10, monotonic=lambda: now)
    breaker.record_failure()
    assert not breaker.try_acquire()
    now = 10.0
    assert breaker.try_acquire()
    assert not breaker.try_acquire()
    breaker.record_success()
    assert breaker.try_acquire()

"""Connections that are slow or come in crowds keep nobody else waiting, on either port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from huiqun.web import METRICS_CONNECTIONS, MetricsApp, ServerOptions, bodies, serve
from huiqun.web.connections import ConnectionLimits
from local.ports import LOOPBACK, free_port

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Any]
CHUNK = b"x" * 1_048_576


class Fountain:
    """An app that has much to say to who asks for /much, and notes when it is done with it."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        much = scope["path"] == "/much"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(64 if much else 0):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await send({"type": "http.response.body", "body": b"ok"})
        if much:
            self.done.set()


@asynccontextmanager
async def serving(app: Any, **limits: Any) -> AsyncIterator[Connect]:
    stop, port = asyncio.Event(), free_port()
    options = ServerOptions(connections=ConnectionLimits(**limits))
    task = asyncio.create_task(serve(app, LOOPBACK, port, stop, options))
    await asyncio.sleep(0)  # it listens before it first waits
    yield lambda: asyncio.open_connection(LOOPBACK, port)
    stop.set()
    await task


async def is_closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(20):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_head_that_does_not_arrive_ends_the_connection(sent: bytes) -> None:
    async with serving(Fountain(), head_seconds=0.05) as connect:
        reader, writer = await connect()
        writer.write(sent)
        assert await is_closed(reader)


async def test_a_second_head_that_does_not_arrive_ends_the_connection() -> None:
    async with serving(Fountain(), head_seconds=0.05) as connect:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HTT")
        assert await is_closed(reader)


async def test_a_reader_that_takes_nothing_is_let_go() -> None:
    app = Fountain()
    async with serving(app, stalled_seconds=0.05) as connect:
        _, writer = await connect()
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(app.done.wait(), 20)
        writer.close()


async def test_a_reader_that_goes_on_reading_gets_everything() -> None:
    async with serving(Fountain(), stalled_seconds=5) as connect:
        reader, writer = await connect()
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert len(await reader.read()) > 64 * len(CHUNK)


async def test_a_crowd_from_one_address_is_refused_until_some_have_left() -> None:
    async with serving(Fountain(), most_of_address=2) as connect:
        first, _ = [await connect() for _ in range(2)]
        reader, _ = await connect()
        answer = await asyncio.wait_for(reader.read(), 20)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in answer
        assert b"application/problem+json" in answer
        first[1].close()
        async with asyncio.timeout(20):
            while True:
                reader, writer = await connect()
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                try:
                    if (await reader.read()).startswith(b"HTTP/1.1 200"):
                        break
                except ConnectionError:
                    continue


async def test_a_body_that_does_not_arrive_is_408(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_PATIENCE_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection(LOOPBACK, int(service.url.rpartition(":")[2]))
    writer.write(b"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf")
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:huiqun:problem:request-timeout" in answer


async def test_figures_are_answered_to_many_at_once_and_nothing_else_is() -> None:
    stop, port = asyncio.Event(), free_port()
    options = ServerOptions(connections=METRICS_CONNECTIONS)
    task = asyncio.create_task(serve(MetricsApp(), LOOPBACK, port, stop, options))
    transport = httpx.AsyncHTTPTransport(retries=5)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", transport=transport, timeout=30) as http:
        answers = await asyncio.gather(*(http.get("/metrics") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert all("huiqun_http_requests_total" in answer.text for answer in answers)
        assert answers[0].headers["content-type"].startswith("text/plain")
        assert (await http.get("/")).status_code == 404
        assert (await http.get("/readyz")).status_code == 404
        assert (await http.post("/metrics")).status_code == 405
    stop.set()
    await task

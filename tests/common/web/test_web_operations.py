"""What machines ask of a running app: health, figures, traces, and a clean stop."""

import asyncio
import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import generate_latest

from huiqun.store import connect
from huiqun.telemetry import configure_logs
from huiqun.web import list_undocumented, serve
from huiqun.web.authentication import Authenticator


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("notes", "debug", stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)


async def test_health_says_whether_the_loops_run(service: Any) -> None:
    assert (await service.http.get("/healthz")).json()["status"] == "alive"
    service.failing.add("loops")
    response = await service.http.get("/healthz")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"


async def test_readiness_names_who_does_not_answer_and_comes_back(service: Any) -> None:
    ready = await service.http.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]) == (200, ["broker", "store"])
    service.failing.add("broker")
    response = await service.http.get("/readyz")
    assert response.status_code == 503
    assert "broker" in response.json()["detail"]
    assert "store" not in response.json()["detail"]
    service.failing.clear()
    assert (await service.http.get("/readyz")).status_code == 200


async def test_figures_count_by_route_and_not_by_path(service: Any) -> None:
    headers = await service.as_role("viewer")
    for number in range(3):
        await service.http.get(f"/api/v1/notes/missing-{number}", headers=headers)
        await service.http.get(f"/nowhere/{number}")
    figures = generate_latest().decode()
    assert 'huiqun_http_requests_total{method="GET",route="/api/v1/notes/{note_id}",status="404"}' in figures
    assert 'route="unknown",status="404"' in figures
    assert "missing-1" not in figures
    assert "nowhere" not in figures


async def test_a_request_is_logged_with_its_trace_and_its_caller(service: Any, logged: io.StringIO) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {**await service.as_role("viewer"), "traceparent": f"00-{trace}-00f067aa0ba902b7-00"}
    await service.http.get("/api/v1/notes?limit=3", headers=headers)
    written = [json.loads(line) for line in logged.getvalue().splitlines()]
    (line,) = [line for line in written if line["event"] == "request answered"]
    assert line["trace_id"] == trace
    assert (line["route"], line["status"], line["method"]) == ("/api/v1/notes", 200, "GET")
    assert line["principal"].startswith("key:")


async def test_an_unexpected_error_is_logged_once_with_its_traceback(service: Any, logged: io.StringIO) -> None:
    await service.http.get("/api/v1/notes/broken", headers=await service.as_role("viewer"))
    written = [json.loads(line) for line in logged.getvalue().splitlines()]
    (line,) = [line for line in written if line["level"] == "error"]
    assert "RuntimeError" in line["exception"]


async def test_a_caller_who_hangs_up_is_no_error_of_ours(service: Any, logged: io.StringIO) -> None:
    key = (await service.as_role("viewer"))["Authorization"]
    _, writer = await asyncio.open_connection("127.0.0.1", int(service.url.rpartition(":")[2]))
    writer.write(
        b"POST /api/v1/notes/trial HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
        + f"Authorization: {key}\r\n\r\nhalf".encode()
    )
    await writer.drain()
    writer.close()
    async with asyncio.timeout(5):
        while '"status":499' not in logged.getvalue():  # noqa: ASYNC110 - a log sets no event
            await asyncio.sleep(0.01)
    assert '"level":"error"' not in logged.getvalue()


async def test_when_the_store_is_out_of_reach_the_answer_is_503(start: Any) -> None:
    async with start(None) as service:
        headers = await service.as_role("viewer")
        away = connect("mongodb://127.0.0.1:1/", wait_milliseconds=100)
        authenticator = service.app.state.provisions.get(Authenticator)
        authenticator._db = away["x"]
        response = await service.http.get("/api/v1/notes", headers=headers)
        assert response.status_code == 503
        assert response.json()["type"] == "urn:huiqun:problem:store-unavailable"
        assert response.headers["retry-after"]


async def test_a_port_that_is_taken_is_an_error_and_not_the_end_of_the_process(service: Any) -> None:
    port = int(service.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await serve(service.app, "127.0.0.1", port, asyncio.Event())


async def test_stopping_lets_the_request_in_hand_finish(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    service.gate.opened.clear()
    request = asyncio.create_task(service.http.post("/api/v1/notes/count", headers=headers))
    await service.gate.reached.wait()
    service.stop.set()
    service.gate.opened.set()
    assert (await request).status_code == 200
    started = time.monotonic()
    await service.task
    assert time.monotonic() - started < 8


async def test_stopping_does_not_wait_for_a_request_that_hangs(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    service.gate.opened.clear()
    request = asyncio.create_task(service.http.post("/api/v1/notes/count", headers=headers))
    await service.gate.reached.wait()
    service.stop.set()
    started = time.monotonic()
    await service.task
    assert time.monotonic() - started < 8
    await asyncio.gather(request, return_exceptions=True)


async def test_the_document_of_the_interface_is_complete(service: Any) -> None:
    assert "\n".join(list_undocumented(service.app)) == ""
    operation = service.app.openapi()["paths"]["/api/v1/notes/{note_id}"]["put"]
    assert operation["x-roles"] == ["operator", "viewer"]
    assert set(operation["responses"]) >= {"200", "400", "401", "403", "404", "409", "412", "413", "422", "428"}
    required = {parameter["name"] for parameter in operation["parameters"] if parameter["required"]}
    assert required == {"note_id", "Idempotency-Key", "If-Match"}
    problem = operation["responses"]["412"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/ProblemDetails"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/notes/13812345678-eyJhbGciOi"),
        ("GET", "/api/v1/notes/13812345678-eyJhbGciOi/"),
        ("GET", "/api/v1/Notes/13812345678-eyJhbGciOi"),
        ("GET", "/api/v1/notes%2F13812345678-eyJhbGciOi"),
        ("GET", "//api/v1/notes/13812345678-eyJhbGciOi"),
        ("DELETE", "/api/v1/notes/13812345678-eyJhbGciOi"),
        ("PATCH", "/api/v1/notes/13812345678-eyJhbGciOi"),
        ("EYJHBGCIOI", "/api/v1/notes/eyJhbGciOi"),
        ("GET", "/api/v1/notes?cursor=13812345678-eyJhbGciOi&eyJhbGciOi=13812345678"),
        ("GET", "/nowhere/13812345678/eyJhbGciOi?eyJhbGciOi"),
    ],
)
async def test_a_path_is_known_by_its_route_only(service: Any, logged: io.StringIO, method: str, path: str) -> None:
    await service.http.request(method, path, headers=await service.as_role("viewer"))
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines() if "request answered" in line]
    assert line["route"] in {"/api/v1/notes/{note_id}", "/api/v1/notes", "unmatched"}
    for written in (logged.getvalue(), (await service.http.get("/metrics")).text):
        assert "eyjhbgcioi" not in written.lower()
        assert "13812345678" not in written


async def test_an_unexpected_error_is_logged_without_its_message(service: Any, logged: io.StringIO) -> None:
    await service.http.get("/api/v1/notes/broken", headers=await service.as_role("viewer"))
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines() if "request failed" in line]
    assert line["exception"].endswith("RuntimeError")
    assert "in broken" in line["exception"]
    assert "hunter2" not in logged.getvalue()

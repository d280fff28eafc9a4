"""Broken, hostile and oversized requests get a clear answer and never a 5xx of ours."""

import json
from typing import Any

import pytest


async def post(service: Any, content: bytes, content_type: str = "application/json", path: str = "trial") -> Any:
    headers = {**await service.as_role("viewer"), "Content-Type": content_type}
    return await service.http.post(f"/api/v1/notes/{path}", content=content, headers=headers)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"id": "n", "text": "\xff"}', 400),
        (rb'{"id": "n", "text": "\ud800"}', 400),
        (rb'{"id": "n", "text": "t", "labels": {"\udfff": "x"}}', 400),
        (b'{"id": "n", "text": "t", "weight": NaN}', 400),
        (b'{"id": "n", "text": "t", "weight": 1e400}', 400),
        (b"[" * 100_000, 400),
        (b"[" * 900 + b"]" * 900, 400),
        (b'{"a":' * 200 + b"1234567890123456789012" + b"}" * 200, 400),
        (rb'{"id": "n", "text": "a\u0000b"}', 422),
        (rb'{"id": "n", "text": "t", "labels": {"a\u0000": "x"}}', 422),
        (b'{"id": "n", "text": "t", "weight": 9223372036854775808}', 422),
        (b'{"id": "n", "text": "t", "weight": -9223372036854775809}', 422),
        (b'{"id": "n", "text": "t", "weight": 123456789012345678901234567890}', 422),
        (b'{"id": "n", "text": 7}', 422),
        (b"[]", 422),
        (b"null", 422),
        (b"", 422),
    ],
)
async def test_a_body_that_nobody_could_store_is_refused(service: Any, content: bytes, status: int) -> None:
    response = await post(service, content)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "content",
    [
        b'{"id": "n", "text": "t", "weight": 9223372036854775807}',
        b'{"id": "n", "text": "t", "weight": -9223372036854775808}',
        b'{"id": "12345678901234567890123", "text": "t"}',
        rb'{"id": "n", "text": "\\u0000 as text"}',
        rb'{"id": "n", "text": "\ud83d\ude00"}',
    ],
)
async def test_a_body_at_the_edge_passes(service: Any, content: bytes) -> None:
    response = await post(service, content)
    assert response.status_code == 200, response.text
    assert response.json()["text"] == json.loads(content)["text"]


async def test_every_wrong_field_is_named_by_a_json_pointer_and_not_echoed(service: Any) -> None:
    response = await post(service, b'{"id": "", "text": "t", "labels": {"a/b~c": 13800138000}}')
    assert response.status_code == 422
    problem = response.json()
    assert problem["status"] == 422
    assert problem["instance"] == "/api/v1/notes/trial"
    assert [error["pointer"] for error in problem["errors"]] == ["#/id", "#/labels/a~1b~0c"]
    assert "13800138000" not in response.text


async def test_a_wrong_parameter_is_named(service: Any) -> None:
    response = await service.http.get("/api/v1/notes?limit=0", headers=await service.as_role("viewer"))
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "limit"
    assert response.json()["errors"][0]["location"] == "query"


async def test_an_integer_beyond_64_bits_in_the_query_is_refused(service: Any) -> None:
    url = "/api/v1/notes/heavier?weight=123456789012345678901234567890"
    response = await service.http.get(url, headers=await service.as_role("viewer"))
    assert response.status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/notes/%00", "/api/v1/notes?cursor=%00"])
async def test_a_nul_in_the_address_is_refused(service: Any, path: str) -> None:
    assert (await service.http.get(path, headers=await service.as_role("viewer"))).status_code == 400


async def test_odd_bytes_in_the_address_are_no_error_of_ours(service: Any) -> None:
    headers = await service.as_role("viewer")
    assert (await service.http.get("/api/v1/notes/%ff%fe", headers=headers)).status_code == 404
    assert (await service.http.get("/api/v1/notes?cursor=%ff", headers=headers)).status_code == 422


async def test_a_body_above_the_limit_is_413_whether_announced_or_streamed(service: Any) -> None:
    text = b'{"id": "n", "text": "' + b"x" * 2_000_000 + b'"}'

    async def chunks() -> Any:
        for start in range(0, len(text), 50_000):
            yield text[start : start + 50_000]

    headers = {**await service.as_role("viewer"), "Content-Type": "application/json"}
    for content in (text, chunks()):
        response = await service.http.post("/api/v1/notes/trial", content=content, headers=headers)
        assert response.status_code == 413
        assert response.headers["content-type"] == "application/problem+json"


async def test_a_route_may_allow_more(service: Any) -> None:
    response = await post(service, b"x" * 2_000_000, "text/csv", "import")
    assert response.json()["weight"] == 2_000_000
    assert (await post(service, b"x" * 4_000_000, "text/csv", "import")).status_code == 413


async def test_a_body_of_another_type_is_refused(service: Any) -> None:
    assert (await post(service, b'{"id": "n", "text": "t"}', "text/plain")).status_code == 422


async def test_strangers_are_refused_before_their_body_is_looked_at(service: Any) -> None:
    assert (await service.http.post("/api/v1/notes/trial", content=b"{")).status_code == 401


async def test_unknown_routes_and_methods_are_problems_as_well(service: Any) -> None:
    missing = await service.http.get("/nowhere")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert missing.json()["type"] == "urn:huiqun:problem:not-found"
    wrong = await service.http.patch("/api/v1/notes/trial")
    assert wrong.status_code == 405
    assert wrong.headers["content-type"] == "application/problem+json"


async def test_an_unexpected_error_is_500_with_a_trace_id_and_no_internals(service: Any) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {**await service.as_role("viewer"), "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    response = await service.http.get("/api/v1/notes/broken", headers=headers)
    assert response.status_code == 500
    assert response.json()["trace_id"] == trace
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text

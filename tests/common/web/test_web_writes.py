"""Writes happen once, and not on top of what somebody else has changed."""

import asyncio
from typing import Any

import pytest

NOTE = {"id": "n1", "text": "你好"}


async def test_a_repeated_key_gives_the_first_answer_and_one_effect(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    first = await service.http.post("/api/v1/notes/count", headers=headers)
    again = await service.http.post("/api/v1/notes/count", headers=headers)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["weight"] == 1
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (await service.db["counters"].find_one({"_id": "counter"}))["weight"] == 1


async def test_status_and_headers_are_repeated_as_well(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    for _ in range(2):
        response = await service.http.post("/api/v1/notes", json=NOTE, headers=headers)
        assert response.status_code == 201
        assert response.headers["location"] == "/api/v1/notes/n1"
        assert response.headers["etag"] == '"1"'
        assert response.headers["content-type"] == "application/json"
        assert response.json()["text"] == "你好"


async def test_an_id_in_chinese_makes_a_usable_location(service: Any) -> None:
    caller = await service.as_role("operator")
    headers = {**caller, "Idempotency-Key": "k1"}
    created = await service.http.post("/api/v1/notes", json={**NOTE, "id": "通知 1"}, headers=headers)
    assert created.status_code == 201
    read = await service.http.get(created.headers["location"], headers=caller)
    assert read.json()["id"] == "通知 1"


async def test_the_same_key_with_another_body_is_refused(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    await service.http.post("/api/v1/notes", json=NOTE, headers=headers)
    response = await service.http.post("/api/v1/notes", json={**NOTE, "id": "n2"}, headers=headers)
    assert response.status_code == 422
    assert response.json()["type"] == "urn:huiqun:problem:idempotency-key-reused"
    assert await service.db["notes"].count_documents({}) == 1


async def test_a_key_belongs_to_its_caller_and_its_route(service: Any) -> None:
    for caller in (await service.as_role("operator"), await service.as_role("operator")):
        response = await service.http.post("/api/v1/notes/count", headers={**caller, "Idempotency-Key": "k1"})
        assert response.status_code == 200
    assert (await service.db["counters"].find_one({"_id": "counter"}))["weight"] == 2


async def test_while_the_first_request_runs_the_second_is_told_to_wait(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    service.gate.opened.clear()
    first = asyncio.create_task(service.http.post("/api/v1/notes/count", headers=headers))
    await service.gate.reached.wait()
    second = await service.http.post("/api/v1/notes/count", headers=headers)
    assert second.status_code == 409
    assert second.headers["retry-after"] == "1"
    assert second.json()["type"] == "urn:huiqun:problem:request-in-progress"
    service.gate.opened.set()
    assert (await first).json()["weight"] == 1
    assert (await service.http.post("/api/v1/notes/count", headers=headers)).json()["weight"] == 1


async def test_many_at_once_have_one_effect(service: Any) -> None:
    headers = {**await service.as_role("operator"), "Idempotency-Key": "k1"}
    answers = await asyncio.gather(*(service.http.post("/api/v1/notes/count", headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await service.db["counters"].find_one({"_id": "counter"}))["weight"] == 1


async def test_after_an_error_the_same_key_may_be_tried_again(service: Any) -> None:
    headers = {**await service.as_role("operator"), "If-Match": "*", "Idempotency-Key": "k1"}
    assert (await service.http.put("/api/v1/notes/n1", json=NOTE, headers=headers)).status_code == 404
    await service.db["notes"].insert_one({"_id": "n1", "text": "x", "weight": 1, "labels": {}, "version": 1})
    assert (await service.http.put("/api/v1/notes/n1", json=NOTE, headers=headers)).status_code == 200


@pytest.mark.parametrize("key", [None, "", "x" * 256, "with space"])
async def test_a_write_without_a_usable_key_is_refused(service: Any, key: str | None) -> None:
    headers = await service.as_role("operator")
    if key is not None:
        headers["Idempotency-Key"] = key
    response = await service.http.post("/api/v1/notes", json=NOTE, headers=headers)
    assert response.status_code == 400
    assert response.json()["type"].startswith("urn:huiqun:problem:idempotency-key-")


async def test_a_write_that_answers_nothing_is_204_both_times(service: Any) -> None:
    headers = {**await service.as_role("admin"), "Idempotency-Key": "k1"}
    for _ in range(2):
        response = await service.http.delete("/api/v1/notes/n1", headers=headers)
        assert (response.status_code, response.content) == (204, b"")


async def test_a_stale_edit_is_412_and_the_fresh_one_passes(service: Any) -> None:
    caller = await service.as_role("operator")
    await service.http.post("/api/v1/notes", json=NOTE, headers={**caller, "Idempotency-Key": "a"})
    tag = (await service.http.get("/api/v1/notes/n1", headers=caller)).headers["etag"]

    async def change(key: str, **more: str) -> Any:
        return await service.http.put("/api/v1/notes/n1", json=NOTE, headers={**caller, "Idempotency-Key": key, **more})

    changed = await change("b", **{"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    assert (await change("c", **{"If-Match": tag})).status_code == 412
    assert (await change("d")).status_code == 428
    assert (await change("e", **{"If-Match": "2"})).status_code == 400
    assert (await change("f", **{"If-Match": 'W/"2"'})).status_code == 412
    assert (await change("g", **{"If-Match": '"1", "2"'})).status_code == 200
    assert (await change("h", **{"If-Match": "*"})).status_code == 200


async def test_keys_are_forgotten_after_a_day(service: Any) -> None:
    indexes = await service.db["idempotency_keys"].index_information()
    assert [index["expireAfterSeconds"] for index in indexes.values() if "expireAfterSeconds" in index] == [86400]

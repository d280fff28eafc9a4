"""Who gets in: API keys, roles, and routes that forget to ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from huiqun.store import OutsideTransaction, connect
from huiqun.web import AppOptions, Router, UnsafeRoutesError, create_api_key, create_app, revoke_api_key
from huiqun.web.principals import ROLES, Principal


@pytest.mark.parametrize(
    ("role", "implied"),
    [
        ("viewer", {"viewer"}),
        ("operator", {"viewer", "operator"}),
        ("moderator", {"viewer", "operator", "moderator"}),
        ("auditor", {"viewer", "auditor"}),
        ("admin", {"viewer", "operator", "moderator", "auditor", "admin"}),
    ],
)
def test_a_role_implies_the_lesser_ones(role: Any, implied: set[str]) -> None:
    principal = Principal("key:1", "somebody", frozenset({role}))
    assert {each for each in ROLES if principal.may(each)} == implied


async def test_without_a_credential_the_answer_is_401_and_says_how_to_authenticate(service: Any) -> None:
    response = await service.http.get("/api/v1/notes")
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:huiqun:problem:unauthenticated"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "hq_0000000000000000_wrong"},
        {"X-API-Key": "hq_ü_ü".encode()},
        {"Authorization": "Bearer"},
        {"Authorization": ""},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer a.b.c", "X-API-Key": ""},
    ],
)
async def test_whoever_proves_nothing_gets_401_and_is_told_how(service: Any, headers: dict[str, Any]) -> None:
    for method, path in (("GET", "/api/v1/notes"), ("POST", "/api/v1/notes"), ("GET", "/api/v1/openapi.json")):
        response = await service.http.request(method, path, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "instance"} <= response.json().keys()


async def test_a_key_is_accepted_in_both_headers(service: Any) -> None:
    key = await create_api_key(OutsideTransaction(service.db), "a gateway", ["viewer"])
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer {key}"}, {"X-API-Key": key}):
        assert (await service.http.get("/api/v1/notes", headers=headers)).status_code == 200


async def test_a_missing_role_is_403(service: Any) -> None:
    headers = {**await service.as_role("viewer"), "Idempotency-Key": "k"}
    response = await service.http.post("/api/v1/notes", json={"id": "n", "text": "t"}, headers=headers)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert "www-authenticate" not in response.headers
    assert {"type", "title", "status", "detail", "instance"} <= response.json().keys()
    assert "operator" in response.json()["detail"]


async def test_the_secret_is_not_in_the_database(service: Any) -> None:
    key = await create_api_key(OutsideTransaction(service.db), "a gateway", ["viewer"])
    stored = await service.db["api_keys"].find_one({})
    assert key.split("_", 2)[2] not in str(stored)


async def test_a_changed_expired_or_revoked_key_is_refused(service: Any) -> None:
    async def status(key: str) -> int:
        return int((await service.http.get("/api/v1/notes", headers={"X-API-Key": key})).status_code)

    key = await create_api_key(OutsideTransaction(service.db), "a gateway", ["viewer"])
    soon = datetime.now(UTC) - timedelta(seconds=1)
    for refused in (key[:-1], key + "x", "hq_", "hq__", "hq_0000000000000000_x", "hq_%24ne_x", "nonsense"):
        assert await status(refused) == 401, refused
    assert (
        await status(await create_api_key(OutsideTransaction(service.db), "late", ["viewer"], expires_at=soon)) == 401
    )
    assert await status(key) == 200
    assert await revoke_api_key(OutsideTransaction(service.db), key.split("_")[1])
    assert await status(key) == 401
    assert not await revoke_api_key(OutsideTransaction(service.db), key.split("_")[1])


async def test_a_key_cannot_be_given_a_role_that_does_not_exist(service: Any) -> None:
    roles: Any = ["emperor"]
    with pytest.raises(ValueError, match="emperor"):
        await create_api_key(OutsideTransaction(service.db), "a gateway", roles)


async def test_the_interface_document_needs_a_role_as_well(service: Any) -> None:
    assert (await service.http.get("/api/v1/openapi.json")).status_code == 401
    response = await service.http.get("/api/v1/openapi.json", headers=await service.as_role("viewer"))
    assert "/api/v1/notes/{note_id}" in response.json()["paths"]


def build(router: APIRouter) -> FastAPI:
    client = connect("mongodb://127.0.0.1:1")

    async def transact(use_case: Any) -> Any:
        raise NotImplementedError

    return create_app(
        AppOptions(
            title="t",
            version="1",
            description="d",
            db=client["x"],
            transact=transact,
            routers=[router],
            alive=lambda: True,
            checks={},
        )
    )


async def look() -> None:
    """Do nothing."""


async def test_a_route_without_a_role_does_not_start() -> None:
    router = Router("/api/v1/things", tag="things")
    router.get("")(look)
    with pytest.raises(UnsafeRoutesError, match="GET /api/v1/things: no role declared"):
        build(router)


async def test_a_route_of_another_router_does_not_start() -> None:
    router = APIRouter(prefix="/api/v1/things")
    router.get("")(look)
    with pytest.raises(UnsafeRoutesError, match="not made by"):
        build(router)
    nested = Router("/outer", tag="x", role="viewer")
    nested.include_router(router)
    with pytest.raises(UnsafeRoutesError):
        build(nested)


async def test_a_write_without_an_idempotency_key_does_not_start() -> None:
    router = Router("/api/v1/things", tag="things", role="operator")
    router.post("")(look)
    with pytest.raises(UnsafeRoutesError, match="WriteOnce"):
        build(router)


async def test_a_route_open_to_anyone_says_so_and_starts() -> None:
    router = Router("/callbacks", tag="callbacks", role="anyone")
    router.post("")(look)
    build(router)

"""What every answer carries, and where none leads."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/notes", 200),
        ("GET", "/api/v1/notes/n0", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/api/v1/notes", 405),
        ("POST", "/api/v1/notes", 400),
        ("GET", "/api/v1/notes/broken", 500),
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/api/v1/notes/", 307),
    ],
)
async def test_every_answer_is_for_its_reader_only_and_of_the_type_it_says(
    service: Any, method: str, path: str, status: int
) -> None:
    answer = await service.http.request(method, path, headers=await service.as_role("admin"))
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_refusal_carries_them_as_well(service: Any) -> None:
    answer = await service.http.get("/api/v1/notes")
    assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:443", "127.0.0.1@evil.example", "[::1]", "[::1", "evil.example?x"]
)
@pytest.mark.parametrize("path", ["/api/v1/notes/?limit=3", "/healthz/", "//evil.example/healthz/"])
async def test_a_redirect_leads_to_another_path_and_never_to_the_host_of_the_request(
    service: Any, host: str, path: str
) -> None:
    headers = {"Host": host, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    answer = await service.http.get(f"{service.url}{path}", headers=headers)
    location = answer.headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith("//")
    assert "evil" not in location
    if "evil" not in path:
        assert answer.status_code == 307
        assert location.endswith(path.replace("/?", "?").rstrip("/"))

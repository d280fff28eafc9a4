"""Requests that nobody means well by, over all routes: refused or answered, and never an error of ours."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.moderation.api.conftest import Interface, together

LONGEST = ("jiaweixin" * 3_000)[:20_000]
BEYOND_64_BITS = "1" + "0" * 20
PARAMETERS = (
    BEYOND_64_BITS,
    "9223372036854775808",
    "%00",
    "%ED%A0%BD",
    "a%00b",
    "%FF%FE",
    "0001-01-01T00:00:00%2B23:59",
)
VALUES = (
    '"恭喜\\ud83d发财"',
    '"a\\u0000b"',
    "9223372036854775808",
    "1e400",
    "-" + BEYOND_64_BITS,
    "[" * 70 + "]" * 70,
    '"0001-01-01T00:00:00+23:59"',
    '{"$where": "sleep(9)"}',
)


def filled(path: str, value: str) -> str:
    return re.sub(r"\{[^}]*\}", value, path)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def fields_of(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    """The fields of the JSON body, by name."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    yield from document["components"]["schemas"].get(name, {}).get("properties", {})


def requests(document: dict[str, Any]) -> Iterator[tuple[str, str, bytes | None, str]]:
    """Method, path with query, body and media type of each request to try."""
    for method, path, operation in operations(document):
        queries = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        for value in PARAMETERS:
            query = "&".join(f"{name}={value}" for name in queries)
            if query:
                yield method, f"{filled(path, 'x')}?{query}", None, "application/json"
            if "{" in path:
                yield method, filled(path, value), None, "application/json"
        for value in VALUES:
            names = list(fields_of(document, operation))
            if names:
                body = "{" + ",".join(f'"{name}":{value}' for name in names) + "}"
                yield method, filled(path, "x"), body.encode(), "application/json"


async def test_values_that_the_store_cannot_hold_are_refused_by_every_route(own_interface: Interface) -> None:
    headers = {"X-API-Key": await own_interface.key("admin"), "If-Match": "*"}
    document = (await own_interface.http.get("/api/v1/openapi.json", headers=headers)).json()
    failed: list[str] = []
    tried = set()
    for number, (method, path, body, media_type) in enumerate(requests(document)):
        keyed = {**headers, "Idempotency-Key": f"k{number}", "Content-Type": media_type}
        answer = await own_interface.http.request(method, path, content=body, headers=keyed)
        tried.add((method, path.partition("?")[0]))
        if answer.status_code >= 500:
            failed.append(f"{answer.status_code} {method} {path} {body!r}")
        elif answer.status_code >= 400 and not answer.headers["content-type"].startswith("text/html"):
            assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert failed == []
    assert len(tried) > 50


@pytest.mark.parametrize(
    ("path", "media_type", "content"),
    [
        ("/lexicon/lists/own", "application/x-ndjson", b'{"word": "\\ud83d\\u5237", "category": "fraud"}'),
        ("/lexicon/lists/own", "application/x-ndjson", b'{"word": "a\\u0000b", "category": "fraud"}'),
        ("/lexicon/lists/own", "application/x-ndjson", b'{"word": "x", "category": "\\ud83d"}'),
        ("/lexicon/lists/own", "application/x-ndjson", b'{"word": "x", "category": "fraud", "allow": ["\\ud83d"]}'),
        (
            "/lexicon/lists/own",
            "application/x-ndjson",
            b'{"word": "x", "category": "a", "severity": 99999999999999999999}',
        ),
        ("/lexicon/lists/own", "application/x-ndjson", b'{"word": "' + b"x" * 300_000 + b'"}'),
        ("/lexicon/lists/own", "application/x-ndjson", b"[" * 100_000),
        ("/lexicon/lists/own", "text/csv", b"word,category\na\0b,fraud\n"),
        ("/lexicon/lists/own", "text/csv", b"word,category\n" + b"," * 300_000),
        ("/lexicon/lists/own", "text/csv", b"word,category\n\xed\xa0\xbd,fraud\n"),
        ("/staff", "application/json", b'[{"staff_id": "\\ud83d", "name": "x"}]'),
        ("/staff", "application/json", b'[{"staff_id": "a\\u0000b", "name": "x"}]'),
        ("/staff", "application/json", b'[{"staff_id": "a", "name": "x", "departed_on": "9999999-01-01"}]'),
        ("/staff", "text/csv", b"staff_id,name\na\0b,x\n"),
        ("/staff", "text/csv", b"staff_id,name\n" + b"," * 300_000),
    ],
)
async def test_files_with_such_values_are_refused(
    interface: Interface, path: str, media_type: str, content: bytes
) -> None:
    headers = {"Content-Type": media_type, "If-Match": "*"}
    answer = await interface.ask("PUT", path, content=content, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_viewer_who_scans_long_texts_does_not_keep_others_waiting(interface: Interface) -> None:
    ask = interface.ask("POST", "/lexicon/scan", "viewer", json={"text": LONGEST})
    await ask  # the classifier is read and the key is known
    scans = [
        asyncio.create_task(interface.ask("POST", "/lexicon/scan", "viewer", json={"text": LONGEST})) for _ in range(8)
    ]
    for _ in range(3):
        assert (await interface.http.get("/healthz")).status_code == 200
        assert (await interface.ask("GET", "/policies")).status_code == 200
    assert not all(scan.done() for scan in scans)
    answers: list[httpx.Response] = await together(*scans)
    assert {answer.status_code for answer in answers} == {200}


async def test_fifty_changes_of_one_group_at_once_all_count(interface: Interface) -> None:
    group = "contended-group"
    path = f"/groups/{group}/policy"
    await interface.ask("PUT", path, json={"policy_id": "default"}, headers={"If-Match": "*"})
    answers = await together(
        *(interface.ask("PUT", path, json={"policy_id": "default"}, headers={"If-Match": "*"}) for _ in range(50))
    )
    assert {answer.status_code // 100 for answer in answers} <= {2, 4}

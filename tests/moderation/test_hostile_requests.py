"""Requests that nobody means well by, over all routes: refused or answered, and never an error of ours."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from huiqun.contracts.channel import Group, GroupCreated
from moderation.groups.handlers import record_groups
from tests.moderation.interface import Interface, together

LONG = "jiaweixin" * 500
BEYOND_64_BITS = "1" + "0" * 20
PARAMETERS = (BEYOND_64_BITS, "a%00b", "%ED%A0%BD", "0001-01-01T00:00:00%2B23:59")
VALUES = (
    "9223372036854775808",
    "9223372036854775807",
    '"恭喜\\ud83d发财"',
    '"0001-01-01T00:00:00+23:59"',
    '{"$gt": ""}',
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
    http = await own_interface.served.client("admin")
    document = (await http.get("/api/v1/openapi.json")).json()
    failed: list[str] = []
    tried = set()
    for method, path, body, media_type in requests(document):
        headers = {"If-Match": "*", "Content-Type": media_type}
        answer = await http.request(method, path, content=body, headers=headers)
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
    ask = interface.ask("POST", "/lexicon/scan", "viewer", json={"text": LONG})
    await ask  # the classifier is read and the key is known
    scans = [
        asyncio.create_task(interface.ask("POST", "/lexicon/scan", "viewer", json={"text": LONG})) for _ in range(8)
    ]
    for _ in range(3):
        assert (await (await interface.served.client()).get("/healthz")).status_code == 200
        assert (await interface.ask("GET", "/policies")).status_code == 200
    assert not all(scan.done() for scan in scans)
    answers: list[httpx.Response] = await together(*scans)
    assert {answer.status_code for answer in answers} == {200}


async def test_fifty_changes_of_one_group_and_a_consumer_at_once_all_count(interface: Interface) -> None:
    group = "contended-group"

    async def hear_of_group() -> None:
        for number in range(20):
            at = datetime.now(UTC) + timedelta(seconds=number)
            known = Group(group_id=group, name=f"group {number}")
            event = GroupCreated.create(group, known, time=at)
            await interface.rig.run(partial(record_groups, events=[event], directory=interface.rig.directory))

    path = f"/groups/{group}/policy"

    async def change(number: int) -> httpx.Response:
        body = {"rules": {"quota": {"per_day": 10 + number}}, "reason": f"change {number}"}
        return await interface.ask("PUT", path, json=body, headers={"If-Match": "*"}, timeout=100)

    with interface.without_four_eyes():
        *answers, _ = await together(*map(change, range(50)), hear_of_group())
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["own_revision"] for answer in answers) == list(range(1, 51))
    assert (await interface.ask("GET", path)).json()["own_revision"] == 50
    assert (await interface.ask("GET", f"/groups/{group}")).json()["name"] == "group 19"
    audited = await interface.audited(f"group/{group}")
    assert audited == ["group.rules.version.written", "group.rules.version.submitted", "group.rules.activated"] * 50
    assert (await interface.ask("GET", "/audit/verification", "auditor")).json()["intact"]

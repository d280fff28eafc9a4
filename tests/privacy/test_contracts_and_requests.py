"""Every text that somebody can send says what becomes of personal data in it, and what refuses an event quotes none."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

import crm_sync
import engagement
import huiqun
import moderation
import survey
from huiqun.contracts.catalog import EVENTS, PLANNED_EVENTS, UndecodableError, decode_event, encode_event
from huiqun.contracts.envelope import Event
from huiqun.privacy.text import SCHEMA_KEY
from tests.privacy.events import UNMARKED, broken, planter_of
from tests.privacy.house import SERVICES
from tests.privacy.plants import Plants

#: Texts of requests that are no prose, by name: something is found by them, or they are parsed.
NO_PROSE = frozenset(
    {"cursor", "token", "version", "actor", "subject", "assignee", "principal_id", "case_id", "any_id", "schedule"}
    | {"source", "Idempotency-Key", "If-Match", "Range", "group_id", "member_id"}
)
_FORMATS = frozenset({"date-time", "date", "time"})


def now() -> datetime:
    return datetime(2026, 11, 22, 8, tzinfo=UTC)


def unmarked(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> Iterator[str]:
    """The texts in a schema that are neither bounded by a pattern or a list nor say what becomes of personal data."""
    if "$ref" in schema:
        yield from unmarked(definitions[schema["$ref"].rpartition("/")[2]], definitions, path)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("prefixItems", ())):
        yield from unmarked(choice, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        yield from unmarked(inner, definitions, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from unmarked(schema[name], definitions, path)
    bounded = {"enum", "const", "pattern", SCHEMA_KEY} & schema.keys() or schema.get("format") in _FORMATS
    if schema.get("type") == "string" and not bounded:
        yield path


@pytest.mark.parametrize("kind", [*EVENTS, *PLANNED_EVENTS], ids=lambda kind: kind.__name__)
def test_every_text_of_an_event_says_what_becomes_of_personal_data(kind: type[Event]) -> None:
    schema = kind.model_json_schema()
    found = set(unmarked(schema, schema.get("$defs", {}), kind.__name__))
    assert {path for path in found if path.rpartition(".")[2] not in UNMARKED} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_text_of_a_request_says_what_becomes_of_personal_data(service: str) -> None:
    app = FastAPI()
    for router in SERVICES[service].ROUTERS:
        app.router.routes.extend(router.routes)
    document = app.openapi()
    definitions = document.get("components", {}).get("schemas", {})
    found: set[str] = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                found.update(unmarked(parameter["schema"], definitions, f"{path}.{parameter['name']}"))
            if body := operation.get("requestBody", {}).get("content", {}).get("application/json"):
                found.update(unmarked(body["schema"], definitions, path))
    assert {path for path in found if path.rpartition(".")[2] not in NO_PROSE} == set()


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_a_refused_event_is_not_quoted_whatever_is_wrong_with_it(kind: type[Event]) -> None:
    plants = Plants()
    planter, schema = planter_of(kind, plants, now)
    reasons = [reason_of(kind, wrong) for wrong in broken(planter.value(schema, kind.__name__), plants)]
    assert len([reason for reason in reasons if reason]) > 10
    assert plants.found_in(reasons) == set()


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_an_event_shows_no_personal_data_but_what_is_raw(kind: type[Event]) -> None:
    plants = Plants()
    planter, schema = planter_of(kind, plants, now)
    event = decode_event(kind.topic, json.dumps(planter.value(schema, kind.__name__)).encode())
    raw = (
        {f"{kind.__name__}.data.{name}" for name in ("text", "url", "quoted.text")}
        if "message" in event.type
        else set()
    )
    assert plants.found_in(repr(event)) <= raw
    assert plants.found_in(event.model_dump_json()) <= raw
    written = {field.rpartition(".")[2] for field in plants.found_in(encode_event(event)) - raw}
    assert written <= ({"display_name", "external_ids"} if kind.topic.owner == "channel" else set())


def reason_of(kind: type[Event], wrong: Mapping[str, Any]) -> str:
    """Why an event is refused; nothing if it is not."""
    try:
        decode_event(kind.topic, json.dumps(wrong).encode())
    except UndecodableError as error:
        return str(error)
    return ""


def test_no_code_writes_down_what_an_error_says() -> None:
    quoting = re.compile(r"repr\(error\)|error!r|record_exception\(|_?log\.\w+\([^)]*str\(error\)")
    sources = [Path(module.__file__ or "").parent for module in (huiqun, moderation, engagement, crm_sync, survey)]
    files = [path for source in sources for path in source.rglob("*.py")]
    assert len(files) > 200
    assert [path.name for path in files if quoting.search(path.read_text())] == []

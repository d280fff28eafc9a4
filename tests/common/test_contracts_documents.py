"""The JSON Schemas and the AsyncAPI document say what the code does."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

import crm_sync.app
import engagement.app
import moderation.app
import survey.app
from huiqun.contracts.asyncapi import asyncapi_document
from huiqun.contracts.catalog import EVENTS, PLANNED_EVENTS, encode_event
from huiqun.contracts.envelope import Event
from huiqun.contracts.moderation import Reason
from huiqun.contracts.parties import EVENTS_RECEIVED, EVENTS_SENT
from huiqun.contracts.schemas import event_schemas
from huiqun.contracts.topics import SERVICES, TOPICS
from huiqun.stream import Route
from huiqun.testing.events import (
    group_created,
    group_dismissed,
    group_listed,
    member_joined,
    member_left,
    member_updated,
    message_screened,
)
from moderation.rulebook.model import EMPTY
from tests.directories import detached_directory

DOCUMENT = asyncapi_document()
UNREAD = detached_directory()

# What AsyncAPI 3.0.0 requires of the objects that we use, written from its specification.
REFERENCE = {"type": "object", "properties": {"$ref": {"type": "string", "pattern": "^#/"}}, "required": ["$ref"]}
ASYNCAPI: dict[str, Any] = {
    "type": "object",
    "required": ["asyncapi", "info"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"required": ["title", "version"]},
        "defaultContentType": {"type": "string"},
        "servers": {"additionalProperties": {"required": ["host", "protocol"]}},
        "channels": {
            "additionalProperties": {
                "additionalProperties": False,
                "properties": {
                    "address": {"type": ["string", "null"]},
                    "description": {"type": "string", "minLength": 20},
                    "messages": {"additionalProperties": REFERENCE},
                    "bindings": {"type": "object"},
                },
            }
        },
        "operations": {
            "additionalProperties": {
                "required": ["action", "channel"],
                "additionalProperties": False,
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": REFERENCE,
                    "messages": {"type": "array", "minItems": 1, "items": REFERENCE},
                    "tags": {"type": "array", "items": {"required": ["name"]}},
                    "bindings": {"type": "object"},
                },
            }
        },
        "components": {
            "additionalProperties": {"propertyNames": {"pattern": r"^[a-zA-Z0-9.\-_]+$"}},
            "properties": {
                "messages": {
                    "additionalProperties": {
                        "required": ["name", "title", "summary", "contentType"],
                        "properties": {"headers": {"properties": {"type": {"const": "object"}}}},
                    }
                },
                "schemas": {"additionalProperties": {"$ref": "http://json-schema.org/draft-07/schema#"}},
            },
        },
    },
}


def test_the_document_has_the_structure_that_asyncapi_3_requires() -> None:
    jsonschema.Draft7Validator(ASYNCAPI).validate(DOCUMENT)


def test_every_reference_leads_somewhere_and_an_operation_names_messages_of_its_own_channel() -> None:
    for reference in references(DOCUMENT):
        followed(reference)
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_every_topic_and_event_stands_in_the_document_and_somebody_sends_it() -> None:
    assert DOCUMENT["channels"].keys() == {topic.name for topic in TOPICS}
    planned = {event.model_fields["type"].default for event in PLANNED_EVENTS}
    assert DOCUMENT["components"]["messages"].keys() == {*event_schemas(), *planned, "dead-letter"}
    assert {event for events in EVENTS_SENT.values() for event in events} == set(EVENTS)
    operation = DOCUMENT["operations"]["survey-receives-moderation.decisions.v1"]
    names = {followed(followed(message["$ref"])["$ref"])["name"] for message in operation["messages"]}
    assert names == {"moderation.message.screened"}


@pytest.mark.parametrize(
    ("service", "routes"),
    [
        ("moderation", moderation.app.routes(lambda: EMPTY, UNREAD, b"")),
        ("engagement", engagement.app.routes(UNREAD)),
        ("crm-sync", crm_sync.app.routes(UNREAD)),
        ("survey", survey.app.routes(UNREAD)),
    ],
    ids=SERVICES,
)
def test_who_receives_what_is_what_the_services_route(service: str, routes: tuple[Route, ...]) -> None:
    assert set(EVENTS_RECEIVED[service]) == {event for route in routes for event in route.events}


def examples() -> list[Event]:
    reason = Reason(rule="lexicon", category="ads", severity=3, confidence=0.9, spans=((0, 2), (5, 7)))
    members: list[Event] = [
        member_joined("g1", "u1", external_ids={"unionid": "x"}),
        member_updated("g1", "u1"),
        member_left("g1", "u1"),
    ]
    members.append(group_listed("g1", ["u1", "u2"]))
    return [*members, group_created("g1"), group_dismissed("g1"), message_screened("g1", "u1", reasons=(reason,))]


@pytest.mark.parametrize("event", examples(), ids=lambda event: event.type)
def test_what_we_send_fits_its_schemas(event: Event) -> None:
    sent = TypeAdapter(dict[str, Any]).validate_json(encode_event(event))
    schema = event_schemas()[event.type]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(sent)
    payload = DOCUMENT["components"]["messages"][event.type]["payload"]
    inside = {"allOf": [payload], "components": DOCUMENT["components"]}
    jsonschema.Draft7Validator(inside).validate(sent)
    for broken in ({**sent, "type": "something.else"}, {**sent, "id": "two words"}, {**sent, "data": {}}):
        for validator in (jsonschema.Draft202012Validator(schema), jsonschema.Draft7Validator(inside)):
            with pytest.raises(jsonschema.ValidationError):
                validator.validate(broken)


def references(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            if name == "$ref":
                yield str(inner)
            else:
                yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def followed(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found

"""Every event has an example that validates, every field says what it is, and what is planned cannot be sent."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from huiqun.contracts.asyncapi import asyncapi_document
from huiqun.contracts.catalog import (
    EVENTS,
    PLANNED_EVENTS,
    PlannedEventError,
    UndecodableError,
    decode_event,
    encode_event,
)
from huiqun.contracts.channel import Action, ActionKind, ActionRequested, MassMessageObserved, MessageReceived
from huiqun.contracts.engagement import PointsAwarded
from huiqun.contracts.envelope import Event
from huiqun.contracts.examples import NoExampleError, example_of
from huiqun.contracts.parties import EVENTS_PLANNED
from huiqun.contracts.schemas import definitions, event_schemas
from huiqun.contracts.topics import CHANNEL_ACTIONS, CHANNEL_MESSAGES, TOPICS
from huiqun.testing.events import NOON

ALL = (*EVENTS, *PLANNED_EVENTS)
DOCUMENT = asyncapi_document()
SCHEMAS = event_schemas()
FEWEST_WORDS = 3
# "When." and "By whom." describe nothing; nor does what needs the field before it.
LEANING = re.compile(
    r"(?:When|Why|Who|How|It|Its|They|Likewise|The same|As above)\.?$|.*\b(?:above|below)\b", re.IGNORECASE
)


def fields(schema: dict[str, Any], name: str, seen: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The fields of a definition and of those it is made of, by path."""
    if name in seen:
        return
    seen.add(name)
    definition = schema["$defs"][name]
    for field, inner in definition.get("properties", {}).items():
        yield f"{name}.{field}", inner
    for reference in re.findall(r"#/\$defs/(\w+)", json.dumps(definition)):
        yield from fields(schema, reference, seen)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_an_event_has_an_example_that_validates(kind: type[Event]) -> None:
    example = example_of(kind)
    event = kind.model_validate_json(json.dumps(example))
    assert event.subject == example["subject"]
    schema = SCHEMAS.get(event.type) or kind.model_json_schema()
    jsonschema.Draft202012Validator(schema).validate(example)
    message = DOCUMENT["components"]["messages"][event.type]
    inside = {"allOf": [message["payload"]], "components": DOCUMENT["components"]}
    jsonschema.Draft7Validator(inside).validate(message["examples"][0]["payload"])
    assert event.data.model_fields_set == set(type(event.data).model_fields)


@pytest.mark.parametrize(
    "kind", [kind for kind in EVENTS if kind.topic.is_keyed_by_group], ids=lambda kind: kind.__name__
)
def test_an_example_is_decoded_like_a_record_of_its_topic(kind: type[Event]) -> None:
    record = json.dumps(example_of(kind)).encode()
    assert type(decode_event(kind.topic, record)) is kind


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_field_of_an_event_has_a_description_that_stands_alone(kind: type[Event]) -> None:
    schema = kind.model_json_schema()
    data = schema["properties"]["data"]["$ref"].rpartition("/")[2]
    found = dict(fields(schema, data, set()))
    poor = {
        path: said
        for path, field in found.items()
        if len((said := field.get("description", "")).split()) < FEWEST_WORDS or LEANING.match(said)
    }
    assert poor == {}


def test_a_field_without_an_example_is_named() -> None:
    class Bare(BaseModel):
        words: str

    class Said(Event):
        type: str = "test.said"
        data: Bare

    with pytest.raises(NoExampleError, match="words"):
        example_of(Said)


@pytest.mark.parametrize("kind", PLANNED_EVENTS, ids=lambda kind: kind.__name__)
def test_a_planned_event_is_shown_as_planned_and_cannot_be_sent(kind: type[Event]) -> None:
    event = kind.model_validate(example_of(kind))
    with pytest.raises(PlannedEventError, match=kind.__name__):
        encode_event(event)
    message = DOCUMENT["components"]["messages"][event.type]
    assert [tag["name"] for tag in message["tags"]] == ["planned"]
    assert event.type not in SCHEMAS
    assert kind.topic in TOPICS
    assert any(kind in events for events in EVENTS_PLANNED.values())


def test_only_what_is_planned_bears_the_mark() -> None:
    messages = DOCUMENT["components"]["messages"]
    marked = {name for name, message in messages.items() if "tags" in message}
    assert marked == {str(kind.model_fields["type"].default) for kind in PLANNED_EVENTS}
    operations = DOCUMENT["operations"]
    assert {"name": "planned"}.items() <= operations["engagement-will-send-engagement.events.v1"]["tags"][1].items()
    assert [tag["name"] for tag in operations["moderation-sends-moderation.decisions.v1"]["tags"]] == ["moderation"]


def test_no_two_models_of_the_contracts_share_a_name() -> None:
    assert [name for name in definitions("#/") if "__" in name] == []


def test_a_record_of_a_planned_event_is_refused_by_who_reads_the_topic_of_another() -> None:
    for kind in (PointsAwarded, MassMessageObserved):
        with pytest.raises(UndecodableError, match=str(kind.model_fields["type"].default)):
            decode_event(CHANNEL_MESSAGES, json.dumps(example_of(kind)).encode())


def test_a_transfer_names_its_staff_as_from_and_to() -> None:
    action = Action(
        action_id="a1",
        kind=ActionKind.TRANSFER_CUSTOMER,
        target={"member_id": "u1"},
        from_staff="s1",
        to_staff="s2",
        requested_by="crm-sync",
    )
    event = ActionRequested.create(action.record_key, action, time=NOON, source="huiqun/crm-sync")
    written = json.loads(encode_event(event))
    assert (written["subject"], written["data"]["from"], written["data"]["to"]) == ("u1", "s1", "s2")
    assert "group_id" not in written["data"]
    assert decode_event(CHANNEL_ACTIONS, encode_event(event)) == event


def test_an_event_of_before_is_read_as_of_the_usual_channel() -> None:
    example = example_of(ActionRequested)
    for name in ("channel", "purpose", "batch_id", "from", "to"):
        del example["data"][name]
    event = ActionRequested.model_validate(example)
    assert (event.data.channel, event.data.purpose) == ("channel", "service")
    message = example_of(MessageReceived)
    del message["data"]["quoted"], message["data"]["platform_findings"]
    assert MessageReceived.model_validate(message).data.quoted is None

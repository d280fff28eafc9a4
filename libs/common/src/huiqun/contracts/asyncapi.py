"""The AsyncAPI 3 document: topics, events, and who sends and receives them."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from huiqun.contracts.catalog import EVENTS, PLANNED_EVENTS
from huiqun.contracts.envelope import Event
from huiqun.contracts.examples import example_of
from huiqun.contracts.parties import EVENTS_PLANNED, EVENTS_RECEIVED, EVENTS_SENT, Events
from huiqun.contracts.schemas import definitions
from huiqun.contracts.topics import SERVICES, TOPICS, Topic, dead_letters_of

_ALL = (*EVENTS, *PLANNED_EVENTS)
_DEAD_LETTER = "dead-letter"
_PLANNED = {"name": "planned", "description": "Nobody sends it yet, and it may change until somebody does."}
_BINDING = "0.5.0"
_HEADERS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "content-type": {"type": "string", "const": "application/cloudevents+json"},
        "traceparent": {"type": "string", "description": "W3C trace context, as in the envelope"},
    },
}
_DEAD_LETTER_NOTES: Mapping[str, str] = {
    "topic": "The topic it came from, without the prefix",
    "partition": "The partition it came from",
    "offset": "Its place in that partition",
    "time": "Moment the record was set aside, RFC 3339",
    "reason": "Why it could not be processed",
    "error": "Where the error happened: frames without values; empty for what did not decode",
    "replays": "How often it had been put back on its topic before",
}


def asyncapi_document() -> dict[str, Any]:
    """The whole document, as plain values in a fixed order."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Huiqun",
            "version": version("huiqun"),
            "description": "Events of customer chat groups. Every value is a CloudEvents 1.0 envelope in JSON "
            "(structured mode). Readers ignore fields they do not know; a breaking change is a new topic. What nobody "
            "sends yet bears the tag `planned`, and may change until somebody does.",
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "kafka": {
                "host": "127.0.0.1:9092",
                "protocol": "kafka",
                "description": "The broker of HUIQUN_KAFKA_BOOTSTRAP; HUIQUN_TOPIC_PREFIX stands before each address.",
            }
        },
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {**{_type(event): _message(event) for event in _ALL}, _DEAD_LETTER: _dead_letter()},
            "schemas": {name: _draft7(schema) for name, schema in definitions("#/components/schemas/").items()},
        },
    }


def _type(event: type[Event]) -> str:
    return str(event.model_fields["type"].default)


def _channel(topic: Topic) -> dict[str, Any]:
    names = [_type(event) for event in _ALL if event.topic == topic]
    if topic in map(dead_letters_of, SERVICES):
        names = [_DEAD_LETTER]
    return {
        "address": topic.name,
        "description": f"{topic.about} Owner: {topic.owner}. Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {"retention.ms": int(topic.retention.total_seconds() * 1000)},
                "bindingVersion": _BINDING,
            }
        },
    }


def _message(event: type[Event]) -> dict[str, Any]:
    key = f"The {event.topic.key}, as in `subject`; it chooses the partition by murmur2"
    return {
        "name": _type(event),
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip(),
        "contentType": "application/cloudevents+json",
        **({"tags": [dict(_PLANNED)]} if event.planned else {}),
        "headers": dict(_HEADERS),
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "examples": [{"payload": example_of(event)}],
        "bindings": {"kafka": {"key": _text(key), "bindingVersion": _BINDING}},
    }


def _dead_letter() -> dict[str, Any]:
    notes = {f"dead-letter-{name}": _text(what) for name, what in _DEAD_LETTER_NOTES.items()}
    return {
        "name": _DEAD_LETTER,
        "title": "DeadLetter",
        "summary": "A record as it came, whatever its bytes are; its own headers stand beside these.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": notes, "required": list(notes)},
        "bindings": {"kafka": {"key": _text("The key as it came"), "bindingVersion": _BINDING}},
    }


def _operations() -> Iterator[tuple[str, Any]]:
    """One operation for each party and topic it sends on or receives from."""
    stories = (
        ("send", "sends", EVENTS_SENT),
        ("send", "will-send", EVENTS_PLANNED),
        ("receive", "receives", EVENTS_RECEIVED),
    )
    for action, verb, parties in stories:
        for party, events in parties.items():
            for topic in TOPICS:
                if of_topic := tuple(event for event in events if event.topic == topic):
                    yield f"{party}-{verb}-{topic.name}", _operation(action, party, topic, of_topic)
    for service in SERVICES:
        topic = dead_letters_of(service)
        operation = _operation("send", service, topic, ())
        operation["messages"] = [{"$ref": f"#/channels/{topic.name}/messages/{_DEAD_LETTER}"}]
        yield f"{service}-sends-{topic.name}", operation


def _operation(action: str, party: str, topic: Topic, events: Events) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "tags": [{"name": party}, *([dict(_PLANNED)] if any(event.planned for event in events) else ())],
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{_type(event)}"} for event in events],
    }
    if action == "receive" and party in SERVICES:
        operation["bindings"] = {
            "kafka": {"groupId": {"type": "string", "enum": [f"huiqun.{party}"]}, "bindingVersion": _BINDING}
        }
    return operation


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _draft7(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same schema in the draft that AsyncAPI builds on: a tuple's parts stand under `items` there."""
    if isinstance(schema, list):
        return [_draft7(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {("items" if name == "prefixItems" else name): _draft7(part) for name, part in schema.items()}

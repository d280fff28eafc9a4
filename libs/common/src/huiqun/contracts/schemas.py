"""The JSON Schema of every event."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from huiqun.contracts.catalog import EVENTS, PLANNED_EVENTS
from huiqun.contracts.examples import example_of

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Fields that have a default for us who read, and that whoever sends has to write: CloudEvents demands them.
_ALWAYS = ("specversion", "id", "source", "type", "time", "subject", "data")


def event_schemas() -> dict[str, dict[str, Any]]:
    """A self-contained schema for each event that is sent, by type, with an example."""
    return {
        event.model_fields["type"].default: {
            "$schema": _DIALECT,
            "$id": f"urn:huiqun:event:{event.model_fields['type'].default}",
            **_demanding(event.model_json_schema()),
            "examples": [example_of(event)],
        }
        for event in EVENTS
    }


def definitions(prefix: str) -> dict[str, dict[str, Any]]:
    """The schemas of all events, planned ones too, and of what they are made of, by class name.

    They refer to each other below `prefix`.
    """
    everything = (*EVENTS, *PLANNED_EVENTS)
    _, schema = models_json_schema([(event, "validation") for event in everything], ref_template=prefix + "{model}")
    found: Mapping[str, dict[str, Any]] = schema["$defs"]
    events = {event.__name__ for event in everything}
    return {name: _demanding(found[name]) if name in events else found[name] for name in sorted(found)}


def _demanding(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "required": list(_ALWAYS)}

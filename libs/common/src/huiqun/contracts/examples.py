"""An example of every event, put together from what its fields say of themselves."""

from collections.abc import Mapping
from typing import Any

from huiqun.contracts.envelope import Event

Schema = Mapping[str, Any]


class NoExampleError(ValueError):
    """A field of an event has no example, and none follows from its type."""


def example_of(event: type[Event]) -> dict[str, Any]:
    """The event as JSON with all of its fields, but for those of the envelope that may be missing.

    A field's example is the one it declares, else its default, else what its type allows; an id is named after it.
    Raises NoExampleError.
    """
    schema = event.model_json_schema()
    definitions = schema.get("$defs", {})
    data = _value("data", schema["properties"]["data"], definitions)
    envelope = {
        name: _value(name, schema["properties"][name], definitions)
        for name in ("specversion", "id", "source", "type", "time", "datacontenttype")
    }
    if event.topic.owner == "channel":
        envelope["source"] = "wecom/ww1234567890abcdef"
    elif hasattr(event, "default_source"):
        envelope["source"] = event.default_source
    return {**envelope, "subject": _subject(data), "data": data}


def _subject(data: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what a field holds
    """What the event is about: the person, customer or group, and otherwise what its first field names."""
    keys = ("person_id", "customer_id", "group_id", *data)
    return next(data[key] for key in keys if key in data and isinstance(data[key], str))


def _value(name: str, schema: Schema, definitions: Schema) -> Any:  # noqa: ANN401 - any JSON
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return _value(name, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if choices := [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]:
        return _value(name, choices[0], definitions)
    if allowed := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return allowed[0]
    return _unlisted(name, schema, definitions)


def _unlisted(name: str, schema: Schema, definitions: Schema) -> Any:  # noqa: ANN401 - any JSON
    """A value of a field that neither gives examples nor lists what is allowed."""
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {inner: _value(inner, each, definitions) for inner, each in schema["properties"].items()}
        case "array":
            return [_value(name, schema["items"], definitions)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return schema.get("default", False)
        case "string" if "pattern" in schema:
            return f"{name.removesuffix('_id').replace('_', '-')}-1"
    raise NoExampleError(name)

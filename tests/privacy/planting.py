"""Values that fit a JSON Schema, with personal data planted wherever somebody could write some."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from huiqun.privacy.text import SCHEMA_KEY
from tests.privacy.plants import Plants

Schema = Mapping[str, Any]


@dataclass
class Planter:
    """Makes values; `known` gives those of fields, by name, that have to be what the system knows, or what makes them.

    Optional fields that hold no text are left out unless they are `wanted`, and those that are `omitted` anyway.
    `unmarked` collects the fields whose schema does not say what becomes of personal data, and that `known` lacks.
    """

    plants: Plants
    definitions: Mapping[str, Schema]
    known: Mapping[str, Any]
    omitted: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    unmarked: set[str] = field(default_factory=set)

    def value(self, schema: Schema, where: str) -> Any:
        """A value that the schema allows."""
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        name = where.rpartition(".")[2]
        if name in self.known:
            known = self.known[name]
            return known() if callable(known) else known
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "string":
                return self._text(schema, where)
            case "array":
                parts = schema.get("prefixItems")
                items = parts or [schema["items"]] * max(schema.get("minItems", 1), 1)
                return [self.value(item, where) for item in items]
            case "object":
                return self._object(schema, where)
            case "integer" | "number":
                return schema.get("minimum", schema.get("default", 1))
            case "boolean":
                return False
            case other:
                raise AssertionError(f"{where}: no value for the type {other}")

    def _text(self, schema: Schema, where: str) -> str:
        longest = schema.get("maxLength")
        match schema.get(SCHEMA_KEY):
            case "masked" | "raw":
                return self.plants.prose(where, longest)
            case "sealed":
                return (self.plants.platform_id if "external_ids" in where else self.plants.name)(where)
            case "refused":
                return str(schema.get("examples", ["regular"])[0])
        self.unmarked.add(where)
        return "x"

    def _object(self, schema: Schema, where: str) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {
            name: self.value(inner, f"{where}.{name}")
            for name, inner in schema.get("properties", {}).items()
            if name in required or name in self.wanted or (name not in self.omitted and self._holds_text(inner))
        }
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and self._holds_text(more):
            names = schema.get("propertyNames", {"type": "string", SCHEMA_KEY: "refused"})
            made[self.value({"type": "string", **names}, f"{where}.key")] = self.value(more, where)
        return made

    def _holds_text(self, schema: Schema) -> bool:
        return any(leaf.get("type") == "string" and "enum" not in leaf for leaf in self._leaves(schema))

    def _leaves(self, schema: Schema) -> Iterator[Schema]:
        schema = self._resolved(schema)
        inner = [*schema.get("properties", {}).values(), *schema.get("prefixItems", ())]
        inner += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
        for each in inner:
            yield from self._leaves(each)
        if not inner:
            yield schema

    def _resolved(self, schema: Schema) -> Schema:
        while True:
            if "$ref" in schema:
                schema = self.definitions[schema["$ref"].rpartition("/")[2]]
            elif choices := [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]:
                schema = choices[0]
            else:
                return schema

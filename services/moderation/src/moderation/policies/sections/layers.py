"""How rules inherit: each layer says what is to be other than in the one above it, down to single values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from moderation.policies.sections.rules import Rules
from moderation.policies.sections.section import PolicyFault

#: What a layer says, as JSON: a part of the rules. A section that is null is off; a list is replaced as a whole.
Changes = Mapping[str, Any]
Path = tuple[str, ...]

BUILT_IN_SOURCE: Final = "built_in"
# Said of a section: it is on, whatever stands in it.
_ON: Final = object()


@dataclass(frozen=True, slots=True)
class PolicyLayer:
    """What one author says; `source` is how people name it: "vip@3"."""

    source: str
    changes: Changes


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """Where a value of the effective rules comes from."""

    path: Path
    value: Any
    source: str


def dump_changes(rules: Rules) -> dict[str, Any]:
    """Keep what the author wrote, without what was left out, as JSON."""
    return rules.model_dump(mode="json", exclude_unset=True)


def merge_layers(layers: Sequence[PolicyLayer]) -> Rules:
    """Work out the rules that hold below all layers, the topmost first; ValidationError where together they make none.

    Who switches a section off leaves alone what was said about it: who switches it on again below finds it there.
    """
    values = dict(_BUILT_IN_VALUES)
    for layer in layers:
        values.update(flatten_changes(layer.changes))
    return Rules(**_nest_values(values))


def list_value_origins(layers: Sequence[PolicyLayer], rules: Rules) -> list[ValueOrigin]:
    """Find, for each value of the effective rules, the last layer that says it."""
    spoken = [(layer.source, frozenset(flatten_changes(layer.changes))) for layer in reversed(layers)]
    return [
        ValueOrigin(path, value, next((source for source, paths in spoken if path in paths), BUILT_IN_SOURCE))
        for path, value in _flatten_rules(rules).items()
    ]


def validate_layers(layers: Sequence[PolicyLayer]) -> list[PolicyFault]:
    """Find everything that speaks against the rules that hold below these layers."""
    try:
        rules = merge_layers(layers)
    except ValidationError as error:
        return [PolicyFault(tuple(part["loc"]), f"With what it inherits: {part['msg']}.") for part in error.errors()]
    return list(rules.list_faults())


def flatten_changes(changes: Changes) -> dict[Path, Any]:
    """Lay out what is said, path by path. To put one layer over another is to update the paths of the one above."""
    return dict(_iterate_changes(changes, ()))


def _iterate_changes(changes: Changes, above: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in changes.items():
        path = (*above, name)
        if isinstance(value, Mapping):
            yield path, _ON
            yield from _iterate_changes(value, path)
        else:
            yield path, value


def _nest_values(values: Mapping[Path, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    sections: dict[Path, dict[str, Any]] = {(): root}
    for path in sorted(values, key=len):
        section = sections.get(path[:-1])
        if section is not None:  # else the section above it is off
            value = values[path]
            if value is _ON:
                value = sections[path] = {}
            section[path[-1]] = value
    return root


def _flatten_rules(rules: Rules) -> dict[Path, Any]:
    values = flatten_changes(rules.model_dump(mode="json"))
    return {path: value for path, value in values.items() if value is not _ON}


_BUILT_IN_VALUES: Final = flatten_changes(Rules().model_dump(mode="json"))

"""The plans that Huiqun comes with: version 0 of each kind, until an operator writes another."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from moderation.incidents.model.plans import Plan


@cache
def shipped_plans() -> Mapping[str, Plan]:
    """Read the shipped plans by kind, in the kinds' order."""
    found = sorted(files(__package__).joinpath("data").iterdir(), key=lambda resource: resource.name)
    return {
        resource.name.removesuffix(".json"): Plan.model_validate_json(resource.read_text(encoding="utf-8"))
        for resource in found
        if resource.name.endswith(".json")
    }

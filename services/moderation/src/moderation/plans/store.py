"""Plans in versions, and those that Huiqun comes with.

`incident_id` is the incident whose review asked for a version.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from huiqun.store import Index
from huiqun.versions.store import VersionStore
from moderation.plans.model import IncidentPlan

PLAN_VERSIONS: Final = VersionStore("incident_plans", "incident_plan_versions", "kind", "plan", ("incident_id",))
PLAN_INDEXES: Final[Mapping[str, Sequence[Index]]] = PLAN_VERSIONS.indexes


@cache
def list_shipped_plans() -> Mapping[str, IncidentPlan]:
    """Read the plans that Huiqun comes with, by kind, in the kinds' order: version 0 of each."""
    found = sorted(files(__package__).joinpath("data").iterdir(), key=lambda resource: resource.name)
    return {
        resource.name.removesuffix(".json"): IncidentPlan.model_validate_json(resource.read_text(encoding="utf-8"))
        for resource in found
        if resource.name.endswith(".json")
    }

"""Plans in versions; `incident_id` is the incident whose review asked for a version."""

from collections.abc import Mapping, Sequence
from typing import Final

from huiqun.store import Index
from huiqun.versions.store import VersionStore

PLAN_VERSIONS: Final = VersionStore("incident_plans", "incident_plan_versions", "kind", "plan", ("incident_id",))
INDEXES: Mapping[str, Sequence[Index]] = PLAN_VERSIONS.indexes

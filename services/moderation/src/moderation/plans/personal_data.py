"""What plans hold of people: nothing but which staff wrote and approved them."""

from collections.abc import Mapping
from typing import Final

from moderation.plans.store import PLAN_VERSIONS

NOTHING_HELD: Final[Mapping[str, str]] = {
    PLAN_VERSIONS.versions: "plans, with the staff who wrote and approved them",
    PLAN_VERSIONS.heads: "which versions of plans are in force",
}

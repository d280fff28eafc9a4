"""Write versions of plans, put one in force, and get the plan that an incident is met with."""

from collections.abc import Callable
from functools import cache
from typing import Final

from huiqun.store import Reader
from huiqun.versions.handlers import VersionedDocuments
from huiqun.versions.model import (
    ActivateVersionCommand,
    Content,
    Difference,
    Version,
    VersionHead,
    VersionNotFoundError,
    WriteVersionCommand,
    diff_contents,
)
from huiqun.work import Work
from moderation.plans.model import plan_content
from moderation.plans.store import PLAN_VERSIONS, list_shipped_plans


class PlanNotFoundError(VersionNotFoundError):
    """There is no such plan, or it has no such version."""


class InactivePlanError(ValueError):
    """The plan has no version in force: activate one first."""


@cache
def _shipped_contents() -> dict[str, Content]:
    return {kind: plan_content(plan) for kind, plan in list_shipped_plans().items()}


INCIDENT_PLANS: Final = VersionedDocuments(
    PLAN_VERSIONS, "incident_plan", "incident-plan", PlanNotFoundError, _shipped_contents
)


async def get_plan_in_force(work: Work, kind: str) -> Version:
    """The plan that an incident of this kind is met with; raises PlanNotFoundError, InactivePlanError."""
    head = await INCIDENT_PLANS.get_head(work, kind)
    if head.active is None:
        raise InactivePlanError(kind)
    return await INCIDENT_PLANS.get_version(work, kind, head.active)


async def edit_plan_version(
    work: Work, kind: str, number: int, command: WriteVersionCommand, check_revision: Callable[[int], None]
) -> Version:
    """Change what a version says that was never in force; raises PlanNotFoundError, VersionStateError."""
    check_revision((await INCIDENT_PLANS.get_head(work, kind)).revision)
    return await INCIDENT_PLANS.edit_version(work, kind, number, command)


async def activate_plan_version(
    work: Work, kind: str, command: ActivateVersionCommand, check_revision: Callable[[int], None]
) -> VersionHead:
    """Put a version in force for incidents to come; raises what `VersionedDocuments.activate_version` raises."""
    check_revision((await INCIDENT_PLANS.get_head(work, kind)).revision)
    return await INCIDENT_PLANS.activate_version(work, kind, command)


async def compare_plan_versions(
    reader: Reader, kind: str, number: int, against: int | None
) -> tuple[int | None, list[Difference]]:
    """In what a version differs from `against`, by default the one in force; None where none is.

    Returns the number of the other version, too. Raises PlanNotFoundError.
    """
    head = await INCIDENT_PLANS.get_head(reader, kind)
    other = head.active if against is None else against
    old = {} if other is None else _by_step_keys((await INCIDENT_PLANS.get_version(reader, kind, other)).content)
    new = _by_step_keys((await INCIDENT_PLANS.get_version(reader, kind, number)).content)
    return other, diff_contents(old, new)


def _by_step_keys(content: Content) -> Content:
    """The content with its steps by their keys, so that they are compared value by value."""
    return {**content, "steps": {step["key"]: step for step in content["steps"]}}

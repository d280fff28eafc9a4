"""Read plans, write versions of them, put one in force."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

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
from moderation.incidents.model.plans import Plan
from moderation.incidents.shipped import shipped_plans
from moderation.incidents.store.plans import PLAN_VERSIONS

#: Raises if the revision is not the one that the caller has seen.
Check = Callable[[int], None]


class UnknownPlanError(VersionNotFoundError):
    """There is no such plan, or it has no such version."""


class InactivePlanError(ValueError):
    """The plan has no version in force: activate one first."""


@cache
def _shipped() -> dict[str, Content]:
    return {kind: content_of(plan) for kind, plan in shipped_plans().items()}


PLANS: Final = VersionedDocuments(PLAN_VERSIONS, "incident_plan", "incident-plan", UnknownPlanError, _shipped)


async def plan_in_force(work: Work, kind: str) -> Version:
    """The plan that an incident of this kind is met with; raises UnknownPlanError, InactivePlanError."""
    head = await PLANS.get_head(work, kind)
    if head.active is None:
        raise InactivePlanError(kind)
    return await PLANS.get_version(work, kind, head.active)


async def edit_version(work: Work, kind: str, number: int, draft: WriteVersionCommand, check: Check) -> Version:
    """Change what a version says that was never in force; raises UnknownPlanError, VersionStateError."""
    check((await PLANS.get_head(work, kind)).revision)
    return await PLANS.edit_version(work, kind, number, draft)


async def activate_version(work: Work, kind: str, wish: ActivateVersionCommand, check: Check) -> VersionHead:
    """Put a version in force for incidents to come; raises what `VersionedDocuments.activate_version` raises."""
    check((await PLANS.get_head(work, kind)).revision)
    return await PLANS.activate_version(work, kind, wish)


async def compare_versions(
    reader: Reader, kind: str, number: int, against: int | None
) -> tuple[int | None, list[Difference]]:
    """In what a version differs from `against`, by default the one in force; None where none is.

    Returns the number of the other version, too. Raises UnknownPlanError.
    """
    head = await PLANS.get_head(reader, kind)
    other = head.active if against is None else against
    old = {} if other is None else _by_steps((await PLANS.get_version(reader, kind, other)).content)
    return other, diff_contents(old, _by_steps((await PLANS.get_version(reader, kind, number)).content))


def plan_of(version: Version) -> Plan:
    """The plan that a version says."""
    return Plan(**version.content)


def content_of(plan: Plan) -> dict[str, Any]:
    """What a version says of a plan."""
    return plan.model_dump(mode="json")


def _by_steps(content: Content) -> Content:
    """The content with its steps by their keys, so that they are compared value by value."""
    return {**content, "steps": {step["key"]: step for step in content["steps"]}}

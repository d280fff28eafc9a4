"""Read plans, write versions of them, put one in force."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from huiqun.audit import AuditEntry, append
from huiqun.store import Reader
from huiqun.work import Work
from moderation.incidents.model.plans import Plan
from moderation.incidents.shipped import shipped_plans
from moderation.incidents.store import plans as store
from moderation.incidents.store.plans import PlanHead, PlanVersion

SHIPPED = 0
_NOTE = "What comes with Huiqun."
_AUTHOR = "huiqun"
#: Raises if the revision is not the one that the caller has seen.
Check = Callable[[int], None]


class UnknownPlanError(LookupError):
    """There is no such plan, or it has no such version."""


class InactivePlanError(ValueError):
    """The plan has no version in force: activate one first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version to be written, and why; `incident_id` is the one whose review asked for it."""

    kind: str
    plan: Plan
    note: str
    incident_id: str | None = None


async def list_heads(reader: Reader) -> list[PlanHead]:
    """Every kind of crisis there is a plan for, by name."""
    written = {head.kind: head for head in await store.heads(reader)}
    return [_or_shipped(kind, written.get(kind)) for kind in sorted({*shipped_plans(), *written})]


async def find_head(reader: Reader, kind: str) -> PlanHead:
    """What there is for a kind of crisis; raises UnknownPlanError."""
    head = await store.head(reader, kind)
    if head is None and kind not in shipped_plans():
        raise UnknownPlanError(kind)
    return _or_shipped(kind, head)


async def find_version(reader: Reader, kind: str, number: int) -> PlanVersion:
    """One version; version 0 is what comes with Huiqun. Raises UnknownPlanError."""
    shipped = shipped_plans().get(kind)
    if number == SHIPPED and shipped is not None:
        return PlanVersion(kind, SHIPPED, shipped, _NOTE, _AUTHOR, None)
    version = await store.version(reader, kind, number)
    if version is None:
        raise UnknownPlanError(f"{kind}@{number}")
    return version


async def list_versions(reader: Reader, kind: str, before: int | None, limit: int) -> list[PlanVersion]:
    """The versions, newest first, before the given one. Raises UnknownPlanError."""
    await find_head(reader, kind)
    found = await store.versions(reader, kind, before, limit)
    if kind in shipped_plans() and (before is None or before > SHIPPED):
        found.append(await find_version(reader, kind, SHIPPED))
    return found[:limit]


async def plan_in_force(work: Work, kind: str) -> PlanVersion:
    """The plan that an incident of this kind is met with; raises UnknownPlanError, InactivePlanError."""
    head = await find_head(work, kind)
    if head.active is None:
        raise InactivePlanError(kind)
    return await find_version(work, kind, head.active)


async def write_version(work: Work, draft: Draft, author: str) -> PlanVersion:
    """Add a version to a plan, or make the plan with its first one; it is not in force before it is activated."""
    head = await store.head(work, draft.kind) or PlanHead(draft.kind, 0, None, 0, None)
    number = head.latest + 1
    version = PlanVersion(draft.kind, number, draft.plan, draft.note, author, work.now, draft.incident_id)
    after = replace(head, latest=number, revision=head.revision + 1, updated_at=work.now)
    await store.add_version(work, version, after)
    detail = {"version": number, "incident": draft.incident_id}
    await append(work, AuditEntry(author, "incident_plan.version.written", f"incident-plan/{draft.kind}", detail))
    return version


async def activate_version(work: Work, kind: str, number: int, check: Check, actor: str) -> PlanHead:
    """Put a version in force for incidents to come; raises UnknownPlanError."""
    head = await find_head(work, kind)
    check(head.revision)
    await find_version(work, kind, number)
    if head.active == number:
        return head
    after = replace(head, active=number, revision=head.revision + 1, updated_at=work.now)
    await store.save_head(work, after)
    detail = {"version": number, "before": head.active}
    await append(work, AuditEntry(actor, "incident_plan.activated", f"incident-plan/{kind}", detail))
    return after


def _or_shipped(kind: str, head: PlanHead | None) -> PlanHead:
    """Until an operator activates a version of a shipped kind, the shipped one is in force."""
    head = head or PlanHead(kind, SHIPPED, None, 0, None)
    return replace(head, active=SHIPPED) if head.active is None and kind in shipped_plans() else head

"""Grant and revoke authority for an emergency; it ends by itself."""

from dataclasses import dataclass, replace
from datetime import datetime

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.runtime.ids import new_id
from huiqun.work import Task, Work
from moderation.incidents.model.delegations import LONGEST, Delegation, Right
from moderation.incidents.store import delegations as store

DELEGATION_ENDS = "incidents.delegation_ends"


class UnknownDelegationError(LookupError):
    """There is no such delegation."""


class UnfitPeriodError(ValueError):
    """A delegation ends in the future, and within 31 days."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What is to be delegated to whom, for which groups, until when and why."""

    principal_id: str
    rights: frozenset[Right]
    groups: tuple[str, ...]
    until: datetime
    reason: str


async def grant(work: Work, wanted: Grant, actor: str) -> Delegation:
    """Delegate rights; raises UnfitPeriodError."""
    if not work.now < wanted.until <= work.now + LONGEST:
        raise UnfitPeriodError(wanted.until.isoformat())
    granted = Delegation(
        id=new_id(),
        principal_id=wanted.principal_id,
        rights=wanted.rights,
        groups=wanted.groups,
        until=wanted.until,
        reason=wanted.reason,
        granted_by=actor,
        granted_at=work.now,
    )
    await store.add(work, granted)
    work.schedule(Task(_key(granted.id), DELEGATION_ENDS, granted.until, {"delegation_id": granted.id}))
    detail = {
        "principal": granted.principal_id,
        "rights": sorted(granted.rights),
        "groups": list(granted.groups),
        "until": granted.until.isoformat(),
        "reason": granted.reason,
    }
    await append_audit_entry(work, AuditEntry(actor, "delegation.granted", f"delegation/{granted.id}", detail))
    return granted


async def revoke(work: Work, delegation_id: str, actor: str) -> Delegation:
    """Take a delegation back at once; one that is over stays as it is. Raises UnknownDelegationError."""
    found = await store.find(work, delegation_id)
    if found is None:
        raise UnknownDelegationError(delegation_id)
    if not found.is_live(work.now):
        return found
    revoked = replace(found, revoked_at=work.now, revoked_by=actor)
    await store.save(work, revoked)
    work.cancel(_key(delegation_id))
    detail = {"principal": found.principal_id}
    await append_audit_entry(work, AuditEntry(actor, "delegation.revoked", f"delegation/{delegation_id}", detail))
    return revoked


async def end_delegation(work: Work, task: Task) -> None:
    """Note in the audit log that a delegation is over; it has given nothing since its end."""
    delegation_id = task.payload["delegation_id"]
    await append_audit_entry(work, AuditEntry("moderation", "delegation.expired", f"delegation/{delegation_id}"))


def _key(delegation_id: str) -> str:
    return f"delegation/{delegation_id}"

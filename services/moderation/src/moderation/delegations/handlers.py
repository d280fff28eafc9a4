"""Grant and revoke delegations, and ask for a right: moderators have it everywhere, others where it is delegated."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.web import Principal
from huiqun.work import Task, Work
from moderation.delegations import store
from moderation.delegations.model import (
    MAX_DELEGATION_PERIOD,
    DelegatedRight,
    Delegation,
    delegations_give_right,
)

#: The kind of the task that runs `expire_delegation`; its name stands in documents.
EXPIRE_DELEGATION: Final = "incidents.delegation_ends"


class NotAuthorisedError(PermissionError):
    """It takes the role of a moderator, or a delegation for these groups that is still good."""


class DelegationNotFoundError(NotFoundError):
    """There is no such delegation."""


class InvalidDelegationPeriodError(ValueError):
    """A delegation ends in the future, and within 31 days."""


@dataclass(frozen=True, slots=True)
class GrantDelegationCommand:
    """What is to be delegated to whom, for which groups, until when and why."""

    principal_id: str
    rights: frozenset[DelegatedRight]
    groups: tuple[str, ...]
    until: datetime
    reason: str


async def require_right(work: Work, who: Principal, right: DelegatedRight, groups: Iterable[str]) -> list[str]:
    """Return the ids of the delegations that the right rests on, none for a moderator; raises NotAuthorisedError."""
    if who.may("moderator"):
        return []
    held = await store.list_live_delegations(work, who.id)
    if not delegations_give_right(held, right, groups, work.now):
        raise NotAuthorisedError(right.value)
    return [delegation.id for delegation in held]


async def get_delegation(reader: Reader, delegation_id: str) -> Delegation:
    """Return a delegation, also one that is over; raises DelegationNotFoundError."""
    found = await store.find_delegation(reader, delegation_id)
    if found is None:
        raise DelegationNotFoundError(delegation_id)
    return found


async def grant_delegation(work: Work, command: GrantDelegationCommand, actor: str) -> Delegation:
    """Delegate rights; raises InvalidDelegationPeriodError."""
    if not work.now < command.until <= work.now + MAX_DELEGATION_PERIOD:
        raise InvalidDelegationPeriodError(command.until.isoformat())
    granted = Delegation(
        id=new_id(),
        principal_id=command.principal_id,
        rights=command.rights,
        groups=command.groups,
        until=command.until,
        reason=command.reason,
        granted_by=actor,
        granted_at=work.now,
    )
    await store.add_delegation(work, granted)
    work.schedule(Task(_expiry_key(granted.id), EXPIRE_DELEGATION, granted.until, {"delegation_id": granted.id}))
    detail = {
        "principal": granted.principal_id,
        "rights": sorted(granted.rights),
        "groups": list(granted.groups),
        "until": granted.until.isoformat(),
        "reason": granted.reason,
    }
    await append_audit_entry(work, AuditEntry(actor, "delegation.granted", f"delegation/{granted.id}", detail))
    return granted


async def revoke_delegation(work: Work, delegation_id: str, actor: str) -> Delegation:
    """Take a delegation back at once; one that is over stays as it is. Raises DelegationNotFoundError."""
    found = await get_delegation(work, delegation_id)
    if not found.is_live(work.now):
        return found
    revoked = replace(found, revoked_at=work.now, revoked_by=actor)
    await store.save_delegation(work, revoked)
    work.cancel(_expiry_key(delegation_id))
    detail = {"principal": found.principal_id}
    await append_audit_entry(work, AuditEntry(actor, "delegation.revoked", f"delegation/{delegation_id}", detail))
    return revoked


async def expire_delegation(work: Work, task: Task) -> None:
    """Note in the audit log that a delegation is over; it has given nothing since its end."""
    delegation_id = task.payload["delegation_id"]
    await append_audit_entry(work, AuditEntry("moderation", "delegation.expired", f"delegation/{delegation_id}"))


def _expiry_key(delegation_id: str) -> str:
    return f"delegation/{delegation_id}"

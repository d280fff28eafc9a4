"""Place and lift legal holds."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic.dataclasses import dataclass

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.privacy.text import MaskedText
from huiqun.runtime.ids import new_id
from huiqun.work import Work
from moderation.archive.handlers.settling import settle_hold
from moderation.archive.model import Hold
from moderation.archive.store import holds


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """What is to be held, and why; what is empty or None sets no limit."""

    groups: tuple[str, ...]
    members: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    reason: Annotated[str, MaskedText()]


class UnknownHoldError(LookupError):
    """There is no such hold."""


class LiftedHoldError(ValueError):
    """The hold was lifted before."""


async def place_hold(work: Work, order: HoldOrder, actor: str) -> Hold:
    """Hold what was said, and what will be: new messages within a second, archived ones soonest to expire first."""
    hold = Hold(
        id=new_id(),
        groups=tuple(dict.fromkeys(order.groups)),
        members=tuple(dict.fromkeys(order.members)),
        since=order.since,
        until=order.until,
        reason=order.reason,
        placed_by=actor,
        placed_at=work.now,
    )
    await holds.add(work, hold)
    settle_hold(work, hold)
    detail = {
        "groups": list(hold.groups),
        "members": list(hold.members),
        "from": hold.since.isoformat() if hold.since else None,
        "to": hold.until.isoformat() if hold.until else None,
        "reason": hold.reason,
    }
    await append_audit_entry(work, AuditEntry(actor, "hold.placed", f"hold/{hold.id}", detail))
    return hold


async def lift_hold(work: Work, hold_id: str, reason: str, actor: str) -> Hold:
    """End a hold: what no other one covers expires as its policy says. Raises UnknownHoldError, LiftedHoldError."""
    hold = await holds.find(work, hold_id)
    if hold is None:
        raise UnknownHoldError(hold_id)
    if hold.lifted_at is not None:
        raise LiftedHoldError(hold_id)
    lifted = replace(hold, lifted_by=actor, lifted_at=work.now, lift_reason=reason)
    await holds.lift(work, lifted)
    settle_hold(work, lifted)
    await append_audit_entry(work, AuditEntry(actor, "hold.lifted", f"hold/{hold.id}", {"reason": lifted.lift_reason}))
    return lifted

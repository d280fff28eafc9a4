"""Grant an exception to a rule, and take it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from huiqun.audit import AuditEntry, append
from huiqun.runtime.clock import whole_milliseconds
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Work
from moderation.policies import store
from moderation.policies.handlers.errors import UnfitExceptionError, UnknownExceptionError
from moderation.policies.model import RULES, RuleException, is_known
from moderation.policies.store import Grant

_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class ExceptionWish:
    """The wish that a rule should not hold for a member, or for a whole group, until then."""

    group_id: str
    member_id: str | None
    rule: str
    until: datetime
    reason: str


async def grant_exception(work: Work, wish: ExceptionWish, actor: str) -> Grant:
    """Let the exception hold everywhere within two seconds. Raises UnfitExceptionError."""
    if not is_known(wish.rule):
        raise UnfitExceptionError(
            f"{wish.rule} is no rule; there are {', '.join(sorted(RULES))}, and lexicon, personal_data and staff "
            "may name a category, as in lexicon/ads"
        )
    if not work.now < wish.until <= work.now + _LONGEST:
        raise UnfitExceptionError(f"{wish.until.isoformat()} is not within a year from now")
    exception = RuleException(wish.rule, wish.member_id, whole_milliseconds(wish.until))
    grant = Grant(new_id(), wish.group_id, exception, wish.reason, actor, work.now)
    await store.exceptions.add(work, grant)
    await store.touch(work)
    detail = {
        "id": grant.id,
        "rule": wish.rule,
        "member": wish.member_id,
        "until": exception.until.isoformat(),
        "reason": wish.reason,
    }
    await append(work, AuditEntry(actor, "exception.granted", f"group/{wish.group_id}", detail))
    return grant


async def revoke_exception(work: Work, grant_id: str, actor: str) -> Grant:
    """Take an exception back; one that was taken back before stays so. Raises UnknownExceptionError."""
    grant = await find_exception(work, grant_id)
    if grant.revoked_at is not None:
        return grant
    await store.exceptions.revoke(work, grant_id, actor)
    await store.touch(work)
    detail = {"id": grant_id, "rule": grant.exception.rule, "member": grant.exception.member_id}
    await append(work, AuditEntry(actor, "exception.revoked", f"group/{grant.group_id}", detail))
    return replace(grant, revoked_by=actor, revoked_at=work.now)


async def find_exception(reader: Reader, grant_id: str) -> Grant:
    """The exception of this id; raises UnknownExceptionError."""
    grant = await store.exceptions.find(reader, grant_id)
    if grant is None:
        raise UnknownExceptionError(grant_id)
    return grant


async def list_exceptions(reader: Reader, group_id: str | None, before: str | None, limit: int) -> Sequence[Grant]:
    """The exceptions of a group, or all, newest first, before the given one; those that have ended included."""
    return await store.exceptions.page(reader, group_id, before, limit)

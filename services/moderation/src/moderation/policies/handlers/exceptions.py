"""Ask for an exception to a rule, approve it, and take it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.versions.model import ApprovalRecord, ApproveVersionCommand, VersionStateError
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


async def request_exception(work: Work, wish: ExceptionWish, actor: str, *, four_eyes: bool = True) -> Grant:
    """Ask for an exception; with `four_eyes` it holds once somebody else has approved it, without at once.

    Raises UnfitExceptionError.
    """
    if not is_known(wish.rule):
        raise UnfitExceptionError(
            f"{wish.rule} is no rule; there are {', '.join(sorted(RULES))}, and lexicon, personal_data and staff "
            "may name a category, as in lexicon/ads"
        )
    if not work.now < wish.until <= work.now + _LONGEST:
        raise UnfitExceptionError(f"{wish.until.isoformat()} is not within a year from now")
    exception = RuleException(wish.rule, wish.member_id, truncate_to_milliseconds(wish.until))
    grant_id = new_id()
    approval = ApprovalRecord(grant_id, (actor,)).submit()
    grant = Grant(grant_id, wish.group_id, exception, wish.reason, actor, work.now, approval)
    await store.exceptions.save(work, grant)
    await _audit(work, actor, "requested", grant, until=exception.until.isoformat(), reason=wish.reason)
    if four_eyes:
        return grant
    return await approve_exception(work, grant_id, ApproveVersionCommand(actor, grant.content_hash, four_eyes=False))


async def approve_exception(work: Work, grant_id: str, wish: ApproveVersionCommand) -> Grant:
    """Let an exception that somebody asked for hold everywhere within two seconds.

    Raises UnknownExceptionError, UnfitExceptionError for one that would have ended by now, VersionStateError,
    FourEyesError, ApprovalMismatchError.
    """
    grant = await find_exception(work, grant_id)
    if grant.revoked_at is not None:
        raise VersionStateError(f"{grant_id} was taken back")
    if grant.exception.until <= work.now:
        raise UnfitExceptionError(f"{grant.exception.until.isoformat()} is over")
    approved = replace(grant, approval=grant.approval.approve(wish, grant.content_hash, work.now))
    await store.exceptions.save(work, approved)
    await store.touch(work)
    await _audit(work, wish.actor, "granted", approved, requested_by=grant.granted_by, reason=grant.reason)
    return approved


async def revoke_exception(work: Work, grant_id: str, actor: str) -> Grant:
    """Take an exception back, or the wish for one; one that was taken back before stays so.

    Raises UnknownExceptionError.
    """
    grant = await find_exception(work, grant_id)
    if grant.revoked_at is not None:
        return grant
    revoked = replace(grant, revoked_by=actor, revoked_at=work.now)
    await store.exceptions.save(work, revoked)
    await store.touch(work)
    await _audit(work, actor, "revoked", revoked)
    return revoked


async def find_exception(reader: Reader, grant_id: str) -> Grant:
    """The exception of this id; raises UnknownExceptionError."""
    grant = await store.exceptions.find(reader, grant_id)
    if grant is None:
        raise UnknownExceptionError(grant_id)
    return grant


async def list_exceptions(reader: Reader, group_id: str | None, before: str | None, limit: int) -> Sequence[Grant]:
    """The exceptions of a group, or all, newest first, before the given one; those that have ended included."""
    return await store.exceptions.page(reader, group_id, before, limit)


async def _audit(work: Work, actor: str, action: str, grant: Grant, **detail: object) -> None:
    about = {"id": grant.id, "rule": grant.exception.rule, "member": grant.exception.member_id}
    entry = {**about, "hash": grant.content_hash, **detail}
    await append_audit_entry(work, AuditEntry(actor, f"exception.{action}", f"group/{grant.group_id}", entry))

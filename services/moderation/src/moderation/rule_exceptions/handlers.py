"""Ask for an exception to a rule, approve it, and take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.versions.model import ApprovalRecord, ApproveVersionCommand, VersionStateError
from huiqun.work import Work
from moderation.groups.model import RuleException
from moderation.policies.handlers import raise_policies_revision
from moderation.policies.sections.rules import RULE_NAMES
from moderation.rule_exceptions import store
from moderation.rule_exceptions.model import (
    ExceptionGrant,
    InvalidRuleExceptionError,
    RuleExceptionCommand,
    RuleExceptionNotFoundError,
    is_rule_name,
)

_LONGEST = timedelta(days=366)


async def request_exception(
    work: Work, command: RuleExceptionCommand, actor: str, *, four_eyes: bool = True
) -> ExceptionGrant:
    """Ask for an exception; with `four_eyes` it holds once somebody else has approved it, without at once.

    Raises InvalidRuleExceptionError.
    """
    if not is_rule_name(command.rule):
        raise InvalidRuleExceptionError(
            f"{command.rule} is no rule; there are {', '.join(sorted(RULE_NAMES))}, and lexicon, personal_data "
            "and staff may name a category, as in lexicon/ads"
        )
    if not work.now < command.until <= work.now + _LONGEST:
        raise InvalidRuleExceptionError(f"{command.until.isoformat()} is not within a year from now")
    exception = RuleException(command.rule, command.member_id, truncate_to_milliseconds(command.until))
    grant_id = new_id()
    approval = ApprovalRecord(grant_id, (actor,)).submit()
    grant = ExceptionGrant(grant_id, command.group_id, exception, command.reason, actor, work.now, approval)
    await store.save_exception(work, grant)
    await _audit(work, actor, "requested", grant, until=exception.until.isoformat(), reason=command.reason)
    if four_eyes:
        return grant
    return await approve_exception(work, grant_id, ApproveVersionCommand(actor, grant.content_hash, four_eyes=False))


async def approve_exception(work: Work, grant_id: str, command: ApproveVersionCommand) -> ExceptionGrant:
    """Let an exception that somebody asked for hold everywhere within two seconds.

    Raises RuleExceptionNotFoundError, InvalidRuleExceptionError for one that would have ended by now,
    VersionStateError, FourEyesError, ApprovalMismatchError.
    """
    grant = await get_exception(work, grant_id)
    if grant.revoked_at is not None:
        raise VersionStateError(f"{grant_id} was taken back")
    if grant.exception.until <= work.now:
        raise InvalidRuleExceptionError(f"{grant.exception.until.isoformat()} is over")
    approved = replace(grant, approval=grant.approval.approve(command, grant.content_hash, work.now))
    await store.save_exception(work, approved)
    await raise_policies_revision(work)
    await _audit(work, command.actor, "granted", approved, requested_by=grant.granted_by, reason=grant.reason)
    return approved


async def revoke_exception(work: Work, grant_id: str, actor: str) -> ExceptionGrant:
    """Take an exception back, or the request for one; one that was taken back before stays so.

    Raises RuleExceptionNotFoundError.
    """
    grant = await get_exception(work, grant_id)
    if grant.revoked_at is not None:
        return grant
    revoked = replace(grant, revoked_by=actor, revoked_at=work.now)
    await store.save_exception(work, revoked)
    await raise_policies_revision(work)
    await _audit(work, actor, "revoked", revoked)
    return revoked


async def get_exception(reader: Reader, grant_id: str) -> ExceptionGrant:
    """Get the exception of this id; raises RuleExceptionNotFoundError."""
    grant = await store.find_exception(reader, grant_id)
    if grant is None:
        raise RuleExceptionNotFoundError(grant_id)
    return grant


async def list_exceptions(
    reader: Reader, group_id: str | None, before: str | None, limit: int
) -> Sequence[ExceptionGrant]:
    """List the exceptions of a group, or all, newest first, before the given one; those that have ended included."""
    return await store.list_exceptions(reader, group_id, before, limit)


async def list_exceptions_in_force(reader: Reader, moment: datetime) -> Mapping[str, tuple[RuleException, ...]]:
    """List the approved exceptions that end after `moment` and were not revoked, by group."""
    return await store.list_exceptions_in_force(reader, moment)


async def _audit(work: Work, actor: str, action: str, grant: ExceptionGrant, **detail: object) -> None:
    about = {"id": grant.id, "rule": grant.exception.rule, "member": grant.exception.member_id}
    entry = {**about, "hash": grant.content_hash, **detail}
    await append_audit_entry(work, AuditEntry(actor, f"exception.{action}", f"group/{grant.group_id}", entry))

"""Place and lift legal holds, and bring the expiry of archived messages in line with policy and holds.

The latter is done by tasks, some thousand messages at a time. Whatever has changed, it is done in one way: each message
of a range expires when its policy says, or not at all while a hold covers it. Doing so twice changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic.dataclasses import dataclass

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.privacy.text import MaskedText
from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.tasks.model import Continue
from huiqun.tasks.store import count_tasks
from huiqun.work import Task, Work
from moderation.archive.handlers import list_group_ids, list_messages, set_expiry_date
from moderation.archive.model import ArchivedMessage, ArchivePlace, MessageSearch
from moderation.group_policies.handlers import get_group_context, list_policies_in_force
from moderation.groups.handlers import list_group_settings
from moderation.retention import store
from moderation.retention.model import LegalHold, OpenHolds, expiry_date

# Kinds of tasks.
UPDATE_EXPIRY: Final = "archive.settle"
PLAN_HOLD: Final = "archive.plan_hold"
PLAN_RETENTION: Final = "archive.plan_retention"
# By then every process archives by what has changed, and what it had begun to archive before is committed.
KNOWN_EVERYWHERE_AFTER: Final = timedelta(seconds=60)
_BATCH: Final = 2_000
_PAGE: Final = 100
_FIELDS: Final = ("group_id", "member_id", "sent_at", "archived_at", "expires_on")
# More at once would keep the store busy that screening waits for.
_GROUPS_A_SECOND: Final = 20
_SECOND, _MINUTE, _LATELY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PlaceHoldCommand:
    """What is to be held, and why; what is empty or None sets no limit."""

    groups: tuple[str, ...]
    members: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    reason: Annotated[str, MaskedText()]


@dataclass(frozen=True, slots=True)
class LiftHoldCommand:
    """Which hold is to be lifted, and why."""

    hold_id: str
    reason: Annotated[str, MaskedText()]


class HoldNotFoundError(NotFoundError):
    """There is no such hold."""


class LiftedHoldError(ValueError):
    """The hold was lifted before."""


async def place_hold(work: Work, command: PlaceHoldCommand, actor: str) -> LegalHold:
    """Hold what was said, and what will be: new messages within a second, archived ones soonest to expire first."""
    hold = LegalHold(
        id=new_id(),
        groups=tuple(dict.fromkeys(command.groups)),
        members=tuple(dict.fromkeys(command.members)),
        since=command.since,
        until=command.until,
        reason=command.reason,
        placed_by=actor,
        placed_at=work.now,
    )
    await store.insert_hold(work, hold)
    _schedule_hold_updates(work, hold)
    detail = {
        "groups": list(hold.groups),
        "members": list(hold.members),
        "from": hold.since.isoformat() if hold.since else None,
        "to": hold.until.isoformat() if hold.until else None,
        "reason": hold.reason,
    }
    await append_audit_entry(work, AuditEntry(actor, "hold.placed", f"hold/{hold.id}", detail))
    return hold


async def lift_hold(work: Work, command: LiftHoldCommand, actor: str) -> LegalHold:
    """End a hold: what no other one covers expires as its policy says. Raises HoldNotFoundError, LiftedHoldError."""
    hold = await get_hold(work, command.hold_id)
    if hold.lifted_at is not None:
        raise LiftedHoldError(hold.id)
    lifted = replace(hold, lifted_by=actor, lifted_at=work.now, lift_reason=command.reason)
    await store.mark_hold_lifted(work, lifted)
    _schedule_hold_updates(work, lifted)
    await append_audit_entry(work, AuditEntry(actor, "hold.lifted", f"hold/{hold.id}", {"reason": lifted.lift_reason}))
    return lifted


async def get_hold(reader: Reader, hold_id: str) -> LegalHold:
    """The hold of this id, also a lifted one. Raises HoldNotFoundError."""
    hold = await store.find_hold(reader, hold_id)
    if hold is None:
        raise HoldNotFoundError(hold_id)
    return hold


async def list_open_holds(reader: Reader) -> list[LegalHold]:
    """The holds that nobody has lifted."""
    return await store.list_open_holds(reader)


async def get_hold_revision(reader: Reader) -> int:
    """A number that rises whenever a hold is placed or lifted."""
    return await store.get_hold_revision(reader)


async def count_unsettled_groups(reader: Reader, hold_id: str) -> int:
    """In how many groups messages are still looked through because a hold was placed or lifted."""
    return await count_tasks(reader, _key_prefix(hold_id))


async def plan_hold(work: Work, task: Task) -> Continue | None:
    """A hold on every group: update the expiry in them page by page."""
    hold = await store.find_hold(work, task.payload["hold_id"])
    if hold is None:
        return None
    found = await list_group_ids(work, task.payload.get("after"), _PAGE)
    for group_id in found:
        _schedule_group_update(work, hold, group_id)
    return Continue({"hold_id": hold.id, "after": found[-1]}) if len(found) == _PAGE else None


async def schedule_retention_check(work: Work, task: Task) -> None:
    """A policy or a group has changed: look soon whether messages are to be kept for longer or less long.

    Changes within a minute are looked at together.
    """
    if task.payload.get("other_policy", True):
        due = (work.now + KNOWN_EVERYWHERE_AFTER + _MINUTE).replace(second=0, microsecond=0)
        work.schedule(Task(f"{PLAN_RETENTION}/{due:%Y-%m-%dT%H:%M}", PLAN_RETENTION, due))


async def plan_retention(work: Work, task: Task) -> Continue | None:
    """Update the groups whose policy keeps messages for another time than was carried out last, page by page.

    Of the other groups, what was sent lately: it may have been archived by a policy that was soon replaced.
    """
    found = await list_group_ids(work, task.payload.get("after"), _GROUPS_A_SECOND)
    wanted = await _retention_days_in_force(work, found)
    known = await store.find_retention_days(work, found)
    changed = {group: days for group, days in wanted.items() if days != known.get(group)}
    await store.save_retention_days(work, changed)
    for group_id in found:
        since = None if group_id in changed else work.now - _LATELY
        payload = {"group_id": group_id, "since": since}
        work.schedule(Task(f"{UPDATE_EXPIRY}/retention/{group_id}", UPDATE_EXPIRY, work.now, payload))
    return Continue({"after": found[-1]}, due=work.now + _SECOND) if len(found) == _GROUPS_A_SECOND else None


async def update_expiry(work: Work, task: Task) -> Continue | None:
    """Update the expiry of the next messages of a group; where there may be more, go on after them."""
    payload = task.payload
    search = MessageSearch(payload["group_id"], payload.get("since"), payload.get("until"), fields=_FIELDS)
    after = ArchivePlace(*payload["after"]) if payload.get("after") else None
    found = await list_messages(work, search, after, _BATCH)
    await _set_expiry_dates(work, found, search.group_id)
    if len(found) == _BATCH:
        return Continue({**payload, "after": list(found[-1].place)})
    if payload.get("again_at"):
        rest = {name: value for name, value in payload.items() if name not in {"again_at", "after"}}
        return Continue(rest, due=max(payload["again_at"], work.now))
    return None


def _schedule_hold_updates(work: Work, hold: LegalHold) -> None:
    """A hold was placed or lifted: see to what it covers, now and once more when every process knows of it."""
    if not hold.groups:
        # A group whose first message is archived meanwhile is only found the second time.
        for name, due in (("*", work.now), ("*again", work.now + KNOWN_EVERYWHERE_AFTER)):
            work.schedule(Task(f"{_key_prefix(hold.id)}{name}", PLAN_HOLD, due, {"hold_id": hold.id}))
    for group_id in hold.groups:
        _schedule_group_update(work, hold, group_id)


def _schedule_group_update(work: Work, hold: LegalHold, group_id: str) -> None:
    again_at = work.now + KNOWN_EVERYWHERE_AFTER
    payload = {"group_id": group_id, "since": hold.since, "until": hold.until, "again_at": again_at}
    work.schedule(Task(f"{_key_prefix(hold.id)}{group_id}", UPDATE_EXPIRY, work.now, payload))


def _key_prefix(hold_id: str) -> str:
    return f"{UPDATE_EXPIRY}/hold/{hold_id}/"


async def _set_expiry_dates(work: Work, found: Sequence[ArchivedMessage], group_id: str) -> None:
    holds = OpenHolds(await store.list_open_holds(work))
    days = (await get_group_context(work, group_id)).rules.retention.days
    changes: dict[datetime | None, list[str]] = {}
    for archived in found:
        document = archived.document
        expires_on = _expiry_date_of(document, holds, days)
        if expires_on != document.get("expires_on"):
            changes.setdefault(expires_on, []).append(document["_id"])
    for expires_on, keys in changes.items():
        await set_expiry_date(work, keys, expires_on)
    if changes.keys() - {None}:
        await store.conflict_with_new_holds(work)


def _expiry_date_of(document: Mapping[str, Any], holds: OpenHolds, days: int) -> datetime | None:
    if holds.cover(document["group_id"], document["member_id"], document["sent_at"]):
        return None
    return expiry_date(document.get("archived_at", document["sent_at"]), days)


async def _retention_days_in_force(work: Work, group_ids: Sequence[str]) -> dict[str, int]:
    policies = await list_policies_in_force(work, await list_group_settings(work, group_ids))
    return {group_id: policy.rules.retention.days for group_id, policy in policies.items()}

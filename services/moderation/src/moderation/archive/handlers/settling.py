"""Bring the expiry of archived messages in line with policy and holds, some thousand at a time, by tasks.

Whatever has changed, it is settled in one way: each message of a range expires when its policy says, or not at all
while a hold covers it. Doing so twice changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.store import Reader
from huiqun.tasks.model import Continue
from huiqun.tasks.store import count_tasks
from huiqun.work import Task, Work
from moderation.archive.model import Hold, Holds, first_day_without
from moderation.archive.store import holds, messages, retentions
from moderation.archive.store.messages import Archived, Place, Search
from moderation.group_policies.handlers import get_policy_in_force
from moderation.groups.handlers import get_group
from moderation.groups.model import UNKNOWN_GROUP
from moderation.groups.store import list_group_settings

SETTLE: Final = "archive.settle"
PLAN_HOLD: Final = "archive.plan_hold"
PLAN_RETENTION: Final = "archive.plan_retention"
# By then every process archives by what has changed, and what it had begun to archive before is committed.
UNTIL_KNOWN: Final = timedelta(seconds=60)
_BATCH: Final = 2_000
_PAGE: Final = 100
_FIELDS: Final = ("group_id", "member_id", "sent_at", "archived_at", "expires_on")
# More at once would keep the store busy that screening waits for.
_GROUPS_A_SECOND: Final = 20
_SECOND, _MINUTE, _LATELY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def settle_hold(work: Work, hold: Hold) -> None:
    """A hold was placed or lifted: see to what it covers, now and once more when every process knows of it."""
    if not hold.groups:
        # A group whose first message is archived meanwhile is only found the second time.
        for name, due in (("*", work.now), ("*again", work.now + UNTIL_KNOWN)):
            work.schedule(Task(f"{_keys_of(hold.id)}{name}", PLAN_HOLD, due, {"hold_id": hold.id}))
    for group_id in hold.groups:
        _begin(work, hold, group_id)


async def unsettled(reader: Reader, hold_id: str) -> int:
    """In how many groups messages are still looked through because a hold was placed or lifted."""
    return await count_tasks(reader, _keys_of(hold_id))


async def plan_hold(work: Work, task: Task) -> Continue | None:
    """A hold on every group: settle them page by page."""
    hold = await holds.find(work, task.payload["hold_id"])
    if hold is None:
        return None
    found = await messages.groups(work, task.payload.get("after"), _PAGE)
    for group_id in found:
        _begin(work, hold, group_id)
    return Continue({"hold_id": hold.id, "after": found[-1]}) if len(found) == _PAGE else None


async def note_change(work: Work, task: Task) -> None:
    """A policy or a group has changed: look soon whether messages are to be kept for longer or less long.

    Changes within a minute are looked at together.
    """
    if task.payload.get("other_policy", True):
        due = (work.now + UNTIL_KNOWN + _MINUTE).replace(second=0, microsecond=0)
        work.schedule(Task(f"{PLAN_RETENTION}/{due:%Y-%m-%dT%H:%M}", PLAN_RETENTION, due))


async def plan_retention(work: Work, task: Task) -> Continue | None:
    """Settle the groups whose policy keeps messages for another time than was carried out last, page by page.

    Of the other groups, what was sent lately: it may have been archived by a policy that was soon replaced.
    """
    found = await messages.groups(work, task.payload.get("after"), _GROUPS_A_SECOND)
    wanted = await _days_of(work, found)
    known = await retentions.known(work, found)
    changed = {group: days for group, days in wanted.items() if days != known.get(group)}
    await retentions.note(work, changed)
    for group_id in found:
        since = None if group_id in changed else work.now - _LATELY
        payload = {"group_id": group_id, "since": since}
        work.schedule(Task(f"{SETTLE}/retention/{group_id}", SETTLE, work.now, payload))
    return Continue({"after": found[-1]}, due=work.now + _SECOND) if len(found) == _GROUPS_A_SECOND else None


async def settle(work: Work, task: Task) -> Continue | None:
    """Settle the next messages of a group; where there may be more, go on after them."""
    payload = task.payload
    wanted = Search(payload["group_id"], payload.get("since"), payload.get("until"), fields=_FIELDS)
    after = Place(*payload["after"]) if payload.get("after") else None
    found = await messages.search(work, wanted, after, _BATCH)
    await _settle(work, found, wanted.group_id)
    if len(found) == _BATCH:
        return Continue({**payload, "after": list(found[-1].place)})
    if payload.get("again_at"):
        rest = {name: value for name, value in payload.items() if name not in {"again_at", "after"}}
        return Continue(rest, due=max(payload["again_at"], work.now))
    return None


def _keys_of(hold_id: str) -> str:
    return f"{SETTLE}/hold/{hold_id}/"


def _begin(work: Work, hold: Hold, group_id: str) -> None:
    payload = {"group_id": group_id, "since": hold.since, "until": hold.until, "again_at": work.now + UNTIL_KNOWN}
    work.schedule(Task(f"{_keys_of(hold.id)}{group_id}", SETTLE, work.now, payload))


async def _settle(work: Work, found: Sequence[Archived], group_id: str) -> None:
    open_holds = Holds(await holds.open_holds(work))
    group = await get_group(work, group_id)
    days = (await get_policy_in_force(work, group.settings)).rules.retention.days
    changes: dict[datetime | None, list[str]] = {}
    for archived in found:
        document = archived.document
        day = _expiry(document, open_holds, days)
        if day != document.get("expires_on"):
            changes.setdefault(day, []).append(document["_id"])
    for day, keys in changes.items():
        await messages.set_expiry(work, keys, day)
    if changes.keys() - {None}:
        await holds.guard(work)


def _expiry(document: Mapping[str, Any], open_holds: Holds, days: int) -> datetime | None:
    if open_holds.cover(document["group_id"], document["member_id"], document["sent_at"]):
        return None
    return first_day_without(document.get("archived_at", document["sent_at"]), days)


async def _days_of(work: Work, group_ids: Sequence[str]) -> dict[str, int]:
    settings = await list_group_settings(work, group_ids)
    wanted = {}
    for group_id in group_ids:
        policy = await get_policy_in_force(work, settings.get(group_id, UNKNOWN_GROUP))
        wanted[group_id] = policy.rules.retention.days
    return wanted

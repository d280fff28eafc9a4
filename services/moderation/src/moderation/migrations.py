"""What the documents of the release before become in this one."""

from collections.abc import Mapping
from typing import Any, Final

from huiqun.channel.directory.handlers import Directory
from huiqun.files.exports.handlers import schedule_export
from huiqun.files.exports.model import OPEN_EXPORT_STATES
from huiqun.files.exports.store import EXPORTS
from huiqun.tasks.migrations import Migration
from huiqun.versions.migration import approval_migration
from huiqun.work import Task, Work
from huiqun.work.task import TASKS
from moderation.archive.handlers.exports import MESSAGES
from moderation.backtest.store import BACKTESTS, RUN, task_key
from moderation.incidents.store.plans import PLAN_VERSIONS
from moderation.membership.store import consent_states
from moderation.policies import store as policies
from moderation.policies.handlers import APPLY_POLICIES, APPLY_SETTINGS, adopt_own_rules
from moderation.policies.store import group_records

_TIMERS: Final = "timers"
_PAGE: Final = 200
_RENAMED: Final = {"policies.changed": APPLY_POLICIES, "groups.changed": APPLY_SETTINGS}


async def turn_timers_into_tasks(work: Work) -> int:
    """A page of timers that wait; who runs one meanwhile deletes it as well, and one of the two transactions fails.

    A task of the same key is newer than the timer, and stays.
    """
    query = {"state": "waiting"}
    timers = await work.collection(_TIMERS).find(query).sort("due", 1).limit(_PAGE).to_list(None)
    tasks = [_task_of(timer) for timer in timers]
    keys = {"_id": {"$in": [task.key for task in tasks]}}
    known = {each["_id"] async for each in work.collection(TASKS).find(keys, {"_id": 1})}
    for task in tasks:
        if task.key not in known:
            work.schedule(task)
    await work.collection(_TIMERS).delete_many({"_id": {"$in": [each["_id"] for each in timers]}})
    return len(timers)


async def give_open_backtests_tasks(work: Work) -> int:
    """A page of backtests that nobody works on, by their own leases."""
    free: dict[str, Any] = {
        "state": {"$in": ["waiting", "running"]},
        "attempts": {"$exists": True},
        "$or": [{"leased_until": None}, {"leased_until": {"$lt": work.now}}],
    }
    found = await work.collection(BACKTESTS).find(free, {"_id": 1}).limit(_PAGE).to_list(None)
    for each in found:
        work.schedule(Task(task_key(each["_id"]), RUN, work.now, {"backtest_id": each["_id"]}))
    change = {"$set": {"state": "waiting", "progress": 0}, "$unset": {"attempts": 1, "leased_until": 1, "holder": 1}}
    await work.collection(BACKTESTS).update_many({"_id": {"$in": [each["_id"] for each in found]}}, change)
    return len(found)


async def describe_exports_by_criteria(work: Work) -> int:
    """A page of exports that say themselves of what they are; those that are open get a task of the new kind."""
    former = work.collection(EXPORTS).find({"criteria": {"$exists": False}}).limit(_PAGE)
    found = await former.to_list(None)
    for each in found:
        criteria = {
            "groups": each["groups"],
            "from": each["since"].isoformat(),
            "to": each["until"].isoformat(),
        }
        change = {
            "$set": {"kind": MESSAGES.name, "criteria": criteria},
            "$rename": {"group": "section", "messages": "rows"},
            "$unset": {"groups": 1, "since": 1, "until": 1},
        }
        await work.collection(EXPORTS).update_one({"_id": each["_id"]}, change)
        if each["state"] in OPEN_EXPORT_STATES:
            work.cancel(f"archive.export/{each['_id']}")
            schedule_export(work, each["_id"])
    return len(found)


def _task_of(timer: Mapping[str, Any]) -> Task:
    kind = _RENAMED.get(timer["kind"], timer["kind"])
    key = APPLY_POLICIES if kind == APPLY_POLICIES else timer["_id"]
    return Task(key, kind, timer["due"], timer["payload"])


async def make_versions_of_own_rules(work: Work) -> int:
    """A page of groups whose own rules have no versions yet, or were changed by a release that makes none."""
    group_ids = await policies.groups_without_versions(work, _PAGE)
    for group_id in group_ids:
        await adopt_own_rules(work, group_id)
    return len(group_ids)


def migrations(directory: Directory) -> tuple[Migration, ...]:
    """What is rewritten, in this order."""
    return (
        Migration("1-timers-into-tasks", turn_timers_into_tasks),
        Migration("2-backtests-into-tasks", give_open_backtests_tasks, ((BACKTESTS, "state_1__id_1"),)),
        group_records.FORMER_GROUPS.migration(directory),
        consent_states.FORMER_MEMBERS.migration(directory),
        approval_migration("5-approvals-of-policies", policies.POLICY_VERSIONS),
        approval_migration("6-approvals-of-incident-plans", PLAN_VERSIONS),
        Migration("7-versions-of-own-rules", make_versions_of_own_rules),
        Migration("8-exports-by-criteria", describe_exports_by_criteria),
    )

"""What the release before left to do is done once, while it still runs beside this one."""

import asyncio
from collections import Counter
from typing import Any

from huiqun.files.exports.handlers import EXPORT, get_export
from huiqun.files.exports.model import RequestExportCommand
from huiqun.files.exports.store import EXPORTS
from huiqun.files.writing import FileFormat
from huiqun.tasks.migrations import MIGRATION_TASK, ReleaseOverlap, migration_task_kind, schedule_migrations
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskOptions, TaskRunner
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Task, Work
from huiqun.work.task import TASKS
from moderation.archive.handlers.exports import MESSAGES
from moderation.backtest.store import BACKTESTS, RUN
from moderation.migrations import (
    describe_exports_by_criteria,
    give_open_backtests_tasks,
    make_versions_of_own_rules,
    migrations,
    turn_timers_into_tasks,
)
from moderation.policies.handlers import APPLY_POLICIES, OWN_RULES
from tests.moderation.rig import MONDAY, ModerationRig

TIMERS, DONE = "timers", "done_of_timers"


def timer(key: str, kind: str = "noted") -> dict[str, Any]:
    return {"_id": key, "kind": kind, "due": MONDAY, "payload": {"by": "older"}, "attempts": 0, "state": "waiting"}


async def note(work: Work, task: Task) -> None:
    await work.collection(DONE).insert_one({"key": task.key})


async def test_timers_of_an_older_release_run_once_whoever_is_quicker(rig: ModerationRig) -> None:
    database = rig.database
    await database[TIMERS].insert_many([timer(f"t{number}") for number in range(100)])

    async def run_as_older_release(key: str) -> None:
        """Write a timer, and run it unless it is gone: what runs a timer deletes it in the same transaction."""

        async def write(work: Work) -> None:
            await work.collection(TIMERS).insert_one(timer(key))

        async def run(work: Work) -> None:
            if (await work.collection(TIMERS).delete_one({"_id": key})).deleted_count:
                await work.collection(DONE).insert_one({"key": key})

        await rig.run(write)
        await rig.run(run)

    kinds = {
        "noted": TaskKind(note),
        MIGRATION_TASK: migration_task_kind(database, migrations(rig.directory), ReleaseOverlap()),
    }
    await rig.run(lambda work: schedule_migrations(work, migrations(rig.directory)))
    async with running_component(TaskRunner(rig.transactor, kinds, TaskOptions(poll_seconds=0.02))):
        await asyncio.gather(*(run_as_older_release(f"older{number}") for number in range(100)))
        await eventually(lambda: are_done(rig, 200))
    done = Counter([each["key"] async for each in database[DONE].find()])
    assert done == Counter([*(f"t{number}" for number in range(100)), *(f"older{number}" for number in range(100))])


async def are_done(rig: ModerationRig, number: int) -> bool:
    return await rig.database[DONE].count_documents({}) >= number


async def test_a_timer_gives_way_to_a_task_of_its_key_and_takes_its_kinds_new_name(rig: ModerationRig) -> None:
    await rig.database[TIMERS].delete_many({})
    await rig.database[TIMERS].insert_many([timer("action/1"), timer("policies.changed", "policies.changed")])

    async def schedule(work: Work) -> None:
        work.schedule(Task("action/1", "noted", MONDAY, {"by": "newer"}))

    await rig.run(schedule)
    assert await rig.run(turn_timers_into_tasks) == 2
    assert await rig.run(turn_timers_into_tasks) == 0
    found = {each["_id"]: each async for each in rig.database[TASKS].find()}
    assert (found["action/1"]["payload"], found[APPLY_POLICIES]["kind"]) == ({"by": "newer"}, APPLY_POLICIES)


async def test_an_open_backtest_gets_a_task_when_nobody_works_on_it(rig: ModerationRig) -> None:
    later = MONDAY.replace(year=MONDAY.year + 1)
    documents = [
        {"_id": f"{rig.group}-free", "state": "waiting", "attempts": 0},
        {"_id": f"{rig.group}-left", "state": "running", "attempts": 1, "leased_until": MONDAY.replace(hour=1)},
        {"_id": f"{rig.group}-held", "state": "running", "attempts": 1, "leased_until": later},
    ]
    await rig.database[BACKTESTS].insert_many(documents)
    assert await rig.run(give_open_backtests_tasks) == 2
    assert await rig.run(give_open_backtests_tasks) == 0
    scheduled = [each["payload"]["backtest_id"] async for each in rig.database[TASKS].find({"kind": RUN})]
    assert sorted(scheduled) == [f"{rig.group}-free", f"{rig.group}-left"]
    await rig.database[BACKTESTS].delete_many({"_id": {"$in": [each["_id"] for each in documents]}})


async def test_own_rules_become_versions_also_those_that_an_older_release_sets_meanwhile(rig: ModerationRig) -> None:
    groups, versions = rig.database["groups"], OWN_RULES.store
    older = {"$set": {"own_rules": {"quota": {"per_day": 9}}, "own_revision": 2}}
    await groups.update_one({"_id": rig.group}, older, upsert=True)
    for day, revision in ((9, 2), (8, 3)):
        await groups.update_one({"_id": rig.group}, {"$set": {"own_rules": {"quota": {"per_day": day}}}})
        while await rig.run(make_versions_of_own_rules):
            pass
        (found, *_) = await versions.list_versions(rig.reader, rig.group, None, 10)
        assert (found.number, found.content) == (revision, {"quota": {"per_day": day}})
        await groups.update_one({"_id": rig.group}, {"$inc": {"own_revision": 1}})


async def test_an_export_of_an_older_release_goes_on_where_it_was(rig: ModerationRig) -> None:
    former: dict[str, Any] = {
        "groups": ["g1", "g2"],
        "since": MONDAY,
        "until": MONDAY.replace(hour=5),
        "format": "csv",
        "requested_by": "anna",
        "requested_at": MONDAY,
        "group": 1,
        "after": None,
        "total": 7,
        "messages": 3,
        "bytes": 40,
        "sha256": None,
        "finished_at": None,
    }
    ids = {state: f"{rig.group}-{state}" for state in ("writing", "done")}
    await rig.database[EXPORTS].insert_many([{**former, "_id": ids[state], "state": state} for state in ids])
    await rig.run(lambda work: _schedule(work, Task(f"archive.export/{ids['writing']}", "archive.export", MONDAY)))
    assert await rig.run(describe_exports_by_criteria) == 2
    assert await rig.run(describe_exports_by_criteria) == 0
    export = await get_export(rig.reader, MESSAGES.name, ids["writing"])
    criteria = {"groups": ["g1", "g2"], "from": MONDAY.isoformat(), "to": MONDAY.replace(hour=5).isoformat()}
    assert export.command == RequestExportCommand("messages", criteria, FileFormat.CSV)
    assert (export.state, export.section, export.rows) == ("writing", 1, 3)
    tasks = {each["_id"] async for each in rig.database[TASKS].find({"_id": {"$regex": rig.group}})}
    assert tasks == {f"{EXPORT}/{ids['writing']}"}
    await rig.database[EXPORTS].delete_many({"_id": {"$in": list(ids.values())}})


async def _schedule(work: Work, task: Task) -> None:
    work.schedule(task)

"""What the release before left to do is done once, while it still runs beside this one."""

import asyncio
from collections import Counter
from typing import Any

from huiqun.store import Outside
from huiqun.tasks.migrations import MIGRATE, Overlap, migration_kind, plan_migrations
from huiqun.tasks.model import TaskKind
from huiqun.tasks.runner import TaskOptions, TaskRunner
from huiqun.work import Task, Work
from huiqun.work.task import TASKS
from moderation.backtest.store import BACKTESTS, RUN
from moderation.migrations import (
    give_open_backtests_tasks,
    make_versions_of_own_rules,
    migrations,
    turn_timers_into_tasks,
)
from moderation.policies.handlers import APPLY_POLICIES, OWN_RULES
from tests.moderation.bench import Bench
from tests.moderation.membership.community import NOON
from tests.spine import eventually, running

TIMERS, DONE = "timers", "done_of_timers"


def timer(key: str, kind: str = "noted") -> dict[str, Any]:
    return {"_id": key, "kind": kind, "due": NOON, "payload": {"by": "older"}, "attempts": 0, "state": "waiting"}


async def note(work: Work, task: Task) -> None:
    await work.collection(DONE).insert_one({"key": task.key})


async def test_timers_of_an_older_release_run_once_whoever_is_quicker(bench: Bench) -> None:
    database = bench.database
    await database[TIMERS].insert_many([timer(f"t{number}") for number in range(100)])

    async def run_as_older_release(key: str) -> None:
        """Write a timer, and run it unless it is gone: what runs a timer deletes it in the same transaction."""

        async def write(work: Work) -> None:
            await work.collection(TIMERS).insert_one(timer(key))

        async def run(work: Work) -> None:
            if (await work.collection(TIMERS).delete_one({"_id": key})).deleted_count:
                await work.collection(DONE).insert_one({"key": key})

        await bench.transactor.run(write)
        await bench.transactor.run(run)

    kinds = {"noted": TaskKind(note), MIGRATE: migration_kind(database, migrations(bench.directory), Overlap())}
    await bench.transactor.run(lambda work: plan_migrations(work, migrations(bench.directory)))
    async with running(TaskRunner(bench.transactor, kinds, TaskOptions(poll_seconds=0.02))):
        await asyncio.gather(*(run_as_older_release(f"older{number}") for number in range(100)))
        await eventually(lambda: are_done(bench, 200))
    done = Counter([each["key"] async for each in database[DONE].find()])
    assert done == Counter([*(f"t{number}" for number in range(100)), *(f"older{number}" for number in range(100))])


async def are_done(bench: Bench, number: int) -> bool:
    return await bench.database[DONE].count_documents({}) >= number


async def test_a_timer_gives_way_to_a_task_of_its_key_and_takes_its_kinds_new_name(bench: Bench) -> None:
    await bench.database[TIMERS].delete_many({})
    await bench.database[TIMERS].insert_many([timer("action/1"), timer("policies.changed", "policies.changed")])

    async def schedule(work: Work) -> None:
        work.schedule(Task("action/1", "noted", NOON, {"by": "newer"}))

    await bench.commit(schedule)
    assert await bench.commit(turn_timers_into_tasks) == 2
    assert await bench.commit(turn_timers_into_tasks) == 0
    found = {each["_id"]: each async for each in bench.database[TASKS].find()}
    assert (found["action/1"]["payload"], found[APPLY_POLICIES]["kind"]) == ({"by": "newer"}, APPLY_POLICIES)


async def test_an_open_backtest_gets_a_task_when_nobody_works_on_it(bench: Bench) -> None:
    later = NOON.replace(year=NOON.year + 1)
    documents = [
        {"_id": f"{bench.group}-free", "state": "waiting", "attempts": 0},
        {"_id": f"{bench.group}-left", "state": "running", "attempts": 1, "leased_until": NOON.replace(hour=1)},
        {"_id": f"{bench.group}-held", "state": "running", "attempts": 1, "leased_until": later},
    ]
    await bench.database[BACKTESTS].insert_many(documents)
    assert await bench.commit(give_open_backtests_tasks) == 2
    assert await bench.commit(give_open_backtests_tasks) == 0
    scheduled = [each["payload"]["backtest_id"] async for each in bench.database[TASKS].find({"kind": RUN})]
    assert sorted(scheduled) == [f"{bench.group}-free", f"{bench.group}-left"]
    await bench.database[BACKTESTS].delete_many({"_id": {"$in": [each["_id"] for each in documents]}})


async def test_own_rules_become_versions_also_those_that_an_older_release_sets_meanwhile(bench: Bench) -> None:
    groups, versions = bench.database["groups"], OWN_RULES.store
    older = {"$set": {"own_rules": {"quota": {"per_day": 9}}, "own_revision": 2}}
    await groups.update_one({"_id": bench.group}, older, upsert=True)
    for day, revision in ((9, 2), (8, 3)):
        await groups.update_one({"_id": bench.group}, {"$set": {"own_rules": {"quota": {"per_day": day}}}})
        while await bench.commit(make_versions_of_own_rules):
            pass
        (found, *_) = await versions.list_versions(Outside(bench.database), bench.group, None, 10)
        assert (found.number, found.content) == (revision, {"quota": {"per_day": day}})
        await groups.update_one({"_id": bench.group}, {"$inc": {"own_revision": 1}})

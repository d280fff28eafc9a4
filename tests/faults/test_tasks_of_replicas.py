"""Tasks of several replicas: each has its effect once, whoever is slow and whoever is killed."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest_asyncio

from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock, truncate_to_milliseconds
from huiqun.store import Database, connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.testing.waiting import eventually
from huiqun.work import WORK_INDEXES, Task, Transactor, Work
from local.process import ServerProcess

REPLICAS = 3
TASKS = 200
LEASE = timedelta(seconds=5)
ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture
async def transactor(mongo_url: str, database_name: str) -> AsyncIterator[Transactor]:
    client = connect(mongo_url)
    collections = {"effects": (), "begun": (), "gates": ()}
    await ensure_indexes(client[database_name], {**WORK_INDEXES, **TASK_INDEXES, **collections})
    yield Transactor(client, client[database_name], Publisher(KafkaOptions("nowhere")), SystemClock())
    await client.close()


def replica(number: int, mongo_url: str, database_name: str, directory: Path) -> ServerProcess:
    arguments = [mongo_url, database_name, str(LEASE.total_seconds())]
    command = [sys.executable, "-m", "tests.faults.task_replica", *arguments]
    return ServerProcess("replica", command, directory / f"replica-{number}.log", {"PYTHONPATH": str(ROOT)})


async def test_tasks_due_at_once_have_one_effect_each_though_one_is_slow_and_one_killed(
    transactor: Transactor, mongo_url: str, database_name: str, tmp_path: Path
) -> None:
    database = transactor.database
    due = transactor.clock.now()
    quick = [f"quick{number}" for number in range(TASKS)]
    await schedule(transactor, Task("slow", "slow", due - timedelta(minutes=1)))
    async with AsyncExitStack() as cleanup:
        replicas = [replica(number, mongo_url, database_name, tmp_path) for number in range(REPLICAS)]
        for each in replicas:
            cleanup.push_async_callback(each.kill)
            each.spawn()
        await eventually(lambda: has_begun(database, "slow"), 60)
        until = await end_of_lease(database, "slow")
        busy = await pid_at(database, "slow")
        await schedule(transactor, *(Task(key, "quick", due) for key in quick))
        await eventually(lambda: has_effects(database, 20), 60)
        await next(each for each in replicas if each.pid != busy).kill()
        await eventually(lambda: has_effects(database, TASKS), 60)
        await eventually(lambda: is_renewed(database, "slow", until + 3 * LEASE), 60)
        await open_gate(database, "slow")
        await eventually(lambda: has_effects(database, TASKS + 1), 60)
        assert await database["begun"].distinct("by") == [busy], "nobody else began what a living one was slow with"

        # Killed in the middle of a handler: another one begins it again when the lease has run out.
        await schedule(transactor, Task("taken over", "slow", due))
        await eventually(lambda: has_begun(database, "taken over"), 60)
        busy = await pid_at(database, "taken over")
        await next(each for each in replicas if each.running and each.pid == busy).kill()
        await eventually(lambda: is_begun_by_another(database, "taken over", busy), 60)
        await open_gate(database, "taken over")
        await eventually(lambda: nothing_waits(database), 60)
        for each in replicas:
            await each.stop()
    effects = {document["_id"]: document["times"] async for document in database["effects"].find()}
    assert effects == dict.fromkeys([*quick, "slow", "taken over"], 1)


async def schedule(transactor: Transactor, *tasks: Task) -> None:
    async def use_case(work: Work) -> None:
        for task in tasks:
            work.schedule(task)

    await transactor.run(use_case)


async def has_begun(database: Database, key: str) -> bool:
    return bool(await database["begun"].count_documents({"key": key}))


async def is_begun_by_another(database: Database, key: str, pid: int) -> bool:
    return bool(await database["begun"].count_documents({"key": key, "by": {"$ne": pid}}))


async def pid_at(database: Database, key: str) -> int:
    """The process that was the last to begin a task."""
    (last,) = await database["begun"].find({"key": key}).sort("$natural", -1).to_list(1)
    return int(last["by"])


async def open_gate(database: Database, key: str) -> None:
    await database["gates"].insert_one({"_id": key})


async def has_effects(database: Database, count: int) -> bool:
    return bool(await database["effects"].count_documents({}) >= count)


async def end_of_lease(database: Database, key: str) -> datetime:
    found = await database["task_leases"].find_one({"_id": key})
    assert found is not None
    return truncate_to_milliseconds(found["until"])


async def is_renewed(database: Database, key: str, until: datetime) -> bool:
    return await end_of_lease(database, key) > until


async def nothing_waits(database: Database) -> bool:
    return not await database["tasks"].count_documents({})

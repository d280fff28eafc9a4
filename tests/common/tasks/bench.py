"""What tests of tasks schedule, run and look at; a task of the kind `note` leaves a document."""

from datetime import UTC, datetime, timedelta
from typing import Any

from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.store import OutsideTransaction
from huiqun.tasks import store
from huiqun.tasks.model import Queue, TaskKind
from huiqun.tasks.runner import TaskOptions, TaskRunner
from huiqun.testing.clock import ManualClock
from huiqun.work import Task, Transactor, Work
from huiqun.work.task import TASKS

NOW = truncate_to_milliseconds(datetime.now(UTC))
SECOND = timedelta(seconds=1)
QUICK = TaskOptions(poll_seconds=0.05)
IN_ORDER = Queue("in order", 1)


def clock_of(transactor: Transactor) -> ManualClock:
    assert isinstance(transactor.clock, ManualClock)
    return transactor.clock


async def note(work: Work, task: Task) -> None:
    """Note that a task ran; once more, and the key exists."""
    await work.collection("ran").insert_one({"_id": task.key, **task.payload})


NOTE = TaskKind(note, IN_ORDER)


def runner(transactor: Transactor, options: TaskOptions = QUICK, **kinds: TaskKind) -> TaskRunner:
    return TaskRunner(transactor, {"note": NOTE, **kinds}, options)


async def schedule(transactor: Transactor, *tasks: Task) -> None:
    async def use_case(work: Work) -> None:
        for task in tasks:
            work.schedule(task)

    await transactor.run(use_case)


async def ran(transactor: Transactor) -> list[str]:
    return [document["_id"] async for document in transactor.database["ran"].find().sort("$natural", 1)]


async def tasks(transactor: Transactor) -> list[dict[str, Any]]:
    return [document async for document in transactor.database[TASKS].find().sort("due", 1)]


async def all_done(transactor: Transactor) -> bool:
    return not await tasks(transactor)


async def ran_are(transactor: Transactor, keys: list[str]) -> bool:
    return await ran(transactor) == keys


async def is_in_state(transactor: Transactor, key: str, state: str) -> bool:
    found = await store.find_task(OutsideTransaction(transactor.database), key)
    return found is not None and found.state == state


async def lease_all(transactor: Transactor, holder: str, at: datetime = NOW) -> list[Task]:
    lease = store.Lease(holder, at, at + 60 * SECOND)
    return [each.task for each in await store.lease_tasks(transactor.database, ["note"], lease, 100)]


async def end_of_lease(transactor: Transactor, key: str) -> datetime:
    lease = await transactor.database[store.LEASES].find_one({"_id": key})
    assert lease is not None
    return truncate_to_milliseconds(lease["until"])


async def is_held_after(transactor: Transactor, key: str, moment: datetime) -> bool:
    return await end_of_lease(transactor, key) > moment


async def nothing_is_held(transactor: Transactor) -> bool:
    return not await transactor.database[store.LEASES].count_documents({})

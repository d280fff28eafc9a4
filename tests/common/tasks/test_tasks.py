"""Tasks survive restarts, run once, in their order, and go on step by step."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from huiqun.store import OutsideTransaction
from huiqun.tasks import store
from huiqun.tasks.model import Continue, Effect, Queue, TaskKind, TaskRun
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Progress, Recurrence, Task, Transactor, Work
from tests.common.tasks.bench import (
    NOW,
    SECOND,
    all_done,
    clock_of,
    note,
    ran,
    ran_are,
    runner,
    schedule,
    tasks,
)


async def test_tasks_that_came_due_while_nobody_ran_them_run_in_their_order(transactor: Transactor) -> None:
    numbers = [7, 2, 9, 4, 1, 8, 3, 6, 5, 0]
    await schedule(transactor, *(Task(f"t{n}", "note", NOW + n * SECOND, {"number": n}) for n in numbers))
    clock_of(transactor).moment = NOW + timedelta(hours=1)
    async with running_component(runner(transactor)):
        await eventually(lambda: all_done(transactor))
    assert await ran(transactor) == [f"t{n}" for n in range(10)]


async def test_a_task_waits_until_it_is_due(transactor: Transactor) -> None:
    await schedule(transactor, Task("soon", "note", NOW), Task("later", "note", NOW + SECOND))
    async with running_component(runner(transactor)):
        await eventually(lambda: ran_are(transactor, ["soon"]))
        clock_of(transactor).moment = NOW + SECOND
        await eventually(lambda: ran_are(transactor, ["soon", "later"]))


async def test_several_runners_run_each_task_once(transactor: Transactor) -> None:
    await schedule(transactor, *(Task(f"t{n}", "note", NOW) for n in range(60)))
    async with AsyncExitStack() as all_three:
        for _ in range(3):
            await all_three.enter_async_context(running_component(runner(transactor, note=TaskKind(note))))
        await eventually(lambda: all_done(transactor))
    assert Counter(await ran(transactor)) == Counter(f"t{n}" for n in range(60))


async def test_a_full_queue_keeps_no_other_queue_waiting(transactor: Transactor) -> None:
    released = asyncio.Event()

    async def wait(_run: TaskRun) -> None:
        await released.wait()

    async def done(_work: Work, _task: Task, _result: object) -> None:
        return None

    patrols = [Task(f"patrol {n}", "patrol", NOW) for n in range(20)]
    await schedule(transactor, *patrols, Task("mute ends", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running_component(runner(transactor, patrol=TaskKind(Effect(wait, done), Queue("patrols", 2)))):
        await eventually(lambda: ran_are(transactor, ["mute ends"]))
        assert len(await tasks(transactor)) == 20
        released.set()
        await eventually(lambda: all_done(transactor))


async def test_a_cancelled_or_moved_task_does_not_run_at_its_old_time(transactor: Transactor) -> None:
    await schedule(transactor, *(Task(key, "note", NOW) for key in ("cancelled", "moved", "kept")))

    async def change(work: Work) -> None:
        work.cancel("cancelled")
        work.cancel("never there")
        work.schedule(Task("moved", "note", NOW + SECOND))

    await transactor.run(change)
    async with running_component(runner(transactor)):
        await eventually(lambda: ran_are(transactor, ["kept"]))
    assert [task["_id"] for task in await tasks(transactor)] == ["moved"]


async def test_a_handler_may_schedule_its_own_key_again(transactor: Transactor) -> None:
    async def repeat(work: Work, task: Task) -> None:
        await work.collection("ran").insert_one({"_id": task.due.isoformat()})
        work.schedule(Task(task.key, task.kind, task.due + SECOND))

    await schedule(transactor, Task("every second", "repeat", NOW))
    clock_of(transactor).moment = NOW + 2 * SECOND
    async with running_component(runner(transactor, repeat=TaskKind(repeat))):
        await eventually(lambda: ran_are(transactor, [(NOW + n * SECOND).isoformat() for n in range(3)]))


async def test_a_task_goes_on_step_by_step_with_its_progress(transactor: Transactor) -> None:
    async def count(work: Work, task: Task) -> Continue | None:
        number = task.payload["number"]
        await work.collection("ran").insert_one({"_id": f"step {number}"})
        return Continue({"number": number + 1}, progress=Progress(number + 1, 3)) if number < 2 else None

    await schedule(transactor, Task("export", "count", NOW, {"number": 0}))
    async with running_component(runner(transactor, count=TaskKind(count))):
        await eventually(lambda: all_done(transactor))
    assert await ran(transactor) == ["step 0", "step 1", "step 2"]


async def test_a_periodic_task_runs_once_for_all_the_times_it_missed(transactor: Transactor) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    every_hour = Recurrence("FREQ=HOURLY;BYMINUTE=0;BYSECOND=0", "Asia/Shanghai", midnight)
    clock_of(transactor).moment = midnight + timedelta(hours=5, minutes=30)

    async def once(work: Work, task: Task) -> None:
        await work.collection("ran").insert_one({"_id": task.due.isoformat()})

    await schedule(transactor, Task("sweep", "once", midnight, recurrence=every_hour))
    async with running_component(runner(transactor, once=TaskKind(once))):
        await eventually(lambda: ran_are(transactor, [midnight.isoformat()]))
        await eventually(lambda: _is_due_at(transactor, midnight + timedelta(hours=6)))


async def _is_due_at(transactor: Transactor, moment: datetime) -> bool:
    return [task["due"] for task in await tasks(transactor)] == [moment]


async def test_a_long_task_learns_that_it_was_cancelled(transactor: Transactor) -> None:
    steps: list[int] = []

    async def call(run: TaskRun) -> None:
        while True:
            await run.report_progress(len(steps), 100)
            steps.append(len(steps))
            await asyncio.sleep(0)

    async def record(_work: Work, _task: Task, _result: object) -> None:
        raise AssertionError

    await schedule(transactor, Task("endless", "endless", NOW))
    async with running_component(runner(transactor, endless=TaskKind(Effect(call, record)))):
        await eventually(lambda: len(steps) > 3)
        found = await store.find_task(OutsideTransaction(transactor.database), "endless")
        assert found is not None
        assert found.is_running
        assert found.task.progress is not None
        assert await transactor.run(lambda work: store.cancel_task(work, "endless"))
        done = len(steps)
        await eventually(lambda: len(steps) <= done + 50)
    assert await all_done(transactor)

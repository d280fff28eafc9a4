"""Who holds a task: one process at a time, for as long as it lives."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

from huiqun.runtime.clock import SystemClock
from huiqun.store import DuplicateKey, OutsideTransaction
from huiqun.tasks import store
from huiqun.tasks.model import Effect, RetryPolicy, TaskKind, TaskRun
from huiqun.tasks.runner import TaskOptions
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Task, Transactor, Work
from tests.common.tasks.bench import (
    IN_ORDER,
    NOW,
    SECOND,
    all_done,
    clock_of,
    end_of_lease,
    is_held_after,
    lease_all,
    note,
    nothing_is_held,
    ran,
    ran_are,
    runner,
    schedule,
    tasks,
)


async def test_a_task_that_is_moved_while_it_is_held_is_not_done_by_its_holder(transactor: Transactor) -> None:
    await schedule(transactor, Task("late", "note", NOW))
    (held,) = await lease_all(transactor, "slow runner")
    await schedule(transactor, Task("late", "note", NOW))

    async def finish(work: Work) -> bool:
        return await store.finish_task(work, held, "slow runner")

    assert await transactor.run(finish) is False


async def test_what_a_dead_process_held_runs_when_its_lease_is_over(transactor: Transactor) -> None:
    await schedule(transactor, Task("held", "note", NOW))
    (held,) = await lease_all(transactor, "dead runner")
    assert not await lease_all(transactor, "other")
    clock_of(transactor).moment = NOW + 61 * SECOND
    async with running_component(runner(transactor)):
        await eventually(lambda: all_done(transactor))
    assert await ran(transactor) == ["held"]

    async def finish(work: Work) -> bool:
        return await store.finish_task(work, held, "dead runner")

    assert await transactor.run(finish) is False


async def test_a_task_that_every_process_dies_of_is_given_up(transactor: Transactor) -> None:
    await schedule(transactor, Task("deadly", "note", NOW), Task("harmless", "note", NOW + SECOND))
    clock = clock_of(transactor)
    for number in range(3):
        assert "deadly" in [task.key for task in await lease_all(transactor, f"runner {number}", clock.moment)]
        clock.moment += 61 * SECOND
    kind = TaskKind(note, IN_ORDER, RetryPolicy(attempts=3))
    async with running_component(runner(transactor, note=kind)):
        await eventually(lambda: ran_are(transactor, ["harmless"]))
    record = await store.find_task(OutsideTransaction(transactor.database), "deadly")
    assert record is not None
    assert (record.state, "3 in a row" in record.error) == (store.FAILED, True)


async def test_a_process_takes_up_what_it_was_interrupted_in(transactor: Transactor) -> None:
    await schedule(transactor, Task("first", "note", NOW), Task("second", "note", NOW))
    assert len(await lease_all(transactor, "same runner")) == 2
    assert len(await lease_all(transactor, "same runner")) == 2


async def test_many_that_look_at_once_share_the_tasks_among_them(transactor: Transactor) -> None:
    await schedule(transactor, *(Task(f"t{n:02}", "note", NOW + n * timedelta(milliseconds=1)) for n in range(20)))
    later = store.Lease("", NOW + SECOND, NOW + 60 * SECOND)

    async def lease(number: int) -> list[Task]:
        mine = replace(later, holder=f"runner {number}")
        return [each.task for each in await store.lease_tasks(transactor.database, ["note"], mine, 4)]

    shares = await asyncio.gather(*(lease(number) for number in range(5)))
    keys = [task.key for share in shares for task in share]
    assert len(keys) == len(set(keys))
    assert len(keys) == 20


async def test_a_task_that_two_believe_they_hold_has_its_effect_once(transactor: Transactor) -> None:
    await schedule(transactor, Task("once", "note", NOW))
    (task,) = await lease_all(transactor, "runner")

    async def run_it(work: Work) -> None:
        if await store.finish_task(work, task, "runner"):
            await note(work, task)

    outcomes = await asyncio.gather(*(transactor.run(run_it) for _ in range(3)), return_exceptions=True)
    assert not [outcome for outcome in outcomes if isinstance(outcome, DuplicateKey)]
    assert await ran(transactor) == ["once"]


async def test_a_task_that_outlives_its_lease_is_not_run_by_anybody_else(transactor: Transactor) -> None:
    calls: list[str] = []
    released = asyncio.Event()

    async def call(run: TaskRun) -> None:
        calls.append(run.idempotency_key)
        await released.wait()

    async def record(work: Work, task: Task, _result: object) -> None:
        await note(work, task)

    kind = TaskKind(Effect(call, record))
    await schedule(transactor, Task("slow", "slow", NOW))
    options = TaskOptions(poll_seconds=0.02, lease=timedelta(seconds=0.6))
    async with (
        running_component(runner(transactor, options, slow=kind)),
        running_component(runner(transactor, options, slow=kind)),
    ):
        await eventually(lambda: bool(calls))
        for step in range(1, 4):  # the clock passes the end of one lease after another, which have been renewed
            before = await end_of_lease(transactor, "slow")
            clock_of(transactor).moment = NOW + step * timedelta(seconds=0.5)
            await eventually(lambda before=before: is_held_after(transactor, "slow", before))  # type: ignore[misc]
        released.set()
        await eventually(lambda: all_done(transactor))
    assert len(calls) == 1


async def test_who_is_slow_in_a_transaction_keeps_nobody_from_other_tasks(transactor: Transactor) -> None:
    transactor.clock = SystemClock()
    options = TaskOptions(poll_seconds=0.02, lease=timedelta(seconds=0.3))
    begun: list[str] = []

    async def slow(work: Work, task: Task) -> None:
        begun.append(task.key)
        end = await end_of_lease(transactor, task.key)
        await eventually(lambda: is_held_after(transactor, task.key, end + 3 * options.lease))
        await eventually(lambda: has_run(10))
        await note(work, task)

    async def has_run(count: int) -> bool:
        return len(await ran(transactor)) >= count

    due = transactor.clock.now()
    await schedule(transactor, Task("slow", "slow", due - SECOND), *(Task(f"t{n}", "note", due) for n in range(10)))
    async with AsyncExitStack() as both:
        for _ in range(2):
            await both.enter_async_context(
                running_component(runner(transactor, options, slow=TaskKind(slow, IN_ORDER)))
            )
        await eventually(lambda: all_done(transactor))
        await eventually(lambda: nothing_is_held(transactor))
    assert begun == ["slow"]
    assert (await ran(transactor))[-1] == "slow"


async def test_what_a_stopping_process_has_in_hand_is_taken_up_at_once(transactor: Transactor) -> None:
    async def call(run: TaskRun) -> None:
        while True:
            await run.report_progress(0, 1)
            await asyncio.sleep(0)

    async def record(_work: Work, _task: Task, _result: object) -> None:
        return None

    await schedule(transactor, Task("long", "long", NOW))
    async with running_component(runner(transactor, long=TaskKind(Effect(call, record)))):
        await eventually(lambda: _is_held(transactor))
    assert await nothing_is_held(transactor)
    (left,) = await tasks(transactor)
    assert left["attempts"] == 0


async def _is_held(transactor: Transactor) -> bool:
    return not await nothing_is_held(transactor)

"""Tasks survive restarts, run once, catch up, go on step by step, and are not lost when they fail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from pymongo.errors import OperationFailure

from huiqun.kafka import KafkaOptions, Publisher
from huiqun.runtime.clock import SystemClock, whole_milliseconds
from huiqun.store import DuplicateKey, connect, ensure_indexes
from huiqun.tasks import store
from huiqun.tasks.model import Continue, Effect, Queue, RetryPolicy, TaskKind, TaskRun
from huiqun.tasks.runner import TaskOptions, TaskRunner
from huiqun.work import WORK_INDEXES, Progress, Recurrence, Task, Transactor, Work
from huiqun.work.task import TASKS
from local.ports import free_port
from tests.clocks import SetClock
from tests.spine import eventually, running

NOW = whole_milliseconds(datetime.now(UTC))
SECOND = timedelta(seconds=1)
QUICK = TaskOptions(poll_seconds=0.05)
IN_ORDER = Queue("in order", 1)


@pytest_asyncio.fixture
async def transactor(mongo_url: str, database_name: str) -> AsyncIterator[Transactor]:
    client = connect(mongo_url)
    await ensure_indexes(client[database_name], {**WORK_INDEXES, **store.TASK_INDEXES, "ran": ()})
    publisher = Publisher(KafkaOptions(f"127.0.0.1:{free_port()}"))
    yield Transactor(client, client[database_name], publisher, SetClock(NOW))
    await client.close()


def clock_of(transactor: Transactor) -> SetClock:
    assert isinstance(transactor.clock, SetClock)
    return transactor.clock


async def note(work: Work, task: Task) -> None:
    """Note that a task ran; once more, and the key exists."""
    await work.db["ran"].insert_one({"_id": task.key, **task.payload}, session=work.session)


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
    found = await store.find_task(transactor.database, key)
    return found is not None and found.state == state


async def lease_all(transactor: Transactor, holder: str, at: datetime = NOW) -> list[Task]:
    lease = store.Lease(holder, at, at + 60 * SECOND)
    return await store.lease_tasks(transactor.database, ["note"], lease, 100)


async def test_tasks_that_came_due_while_nobody_ran_them_run_in_their_order(transactor: Transactor) -> None:
    numbers = [7, 2, 9, 4, 1, 8, 3, 6, 5, 0]
    await schedule(transactor, *(Task(f"t{n}", "note", NOW + n * SECOND, {"number": n}) for n in numbers))
    clock_of(transactor).moment = NOW + timedelta(hours=1)
    async with running(runner(transactor)):
        await eventually(lambda: all_done(transactor))
    assert await ran(transactor) == [f"t{n}" for n in range(10)]


async def test_a_task_waits_until_it_is_due(transactor: Transactor) -> None:
    await schedule(transactor, Task("soon", "note", NOW), Task("later", "note", NOW + SECOND))
    async with running(runner(transactor)):
        await eventually(lambda: ran_are(transactor, ["soon"]))
        clock_of(transactor).moment = NOW + SECOND
        await eventually(lambda: ran_are(transactor, ["soon", "later"]))


async def test_several_runners_run_each_task_once(transactor: Transactor) -> None:
    await schedule(transactor, *(Task(f"t{n}", "note", NOW) for n in range(60)))
    async with AsyncExitStack() as all_three:
        for _ in range(3):
            await all_three.enter_async_context(running(runner(transactor, note=TaskKind(note))))
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
    async with running(runner(transactor, patrol=TaskKind(Effect(wait, done), Queue("patrols", 2)))):
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
    async with running(runner(transactor)):
        await eventually(lambda: ran_are(transactor, ["kept"]))
    assert [task["_id"] for task in await tasks(transactor)] == ["moved"]


async def test_a_task_that_is_moved_while_it_is_held_is_not_done_by_its_holder(transactor: Transactor) -> None:
    await schedule(transactor, Task("late", "note", NOW))
    (held,) = await lease_all(transactor, "slow runner")
    await schedule(transactor, Task("late", "note", NOW))

    async def finish(work: Work) -> bool:
        return await store.finish_task(work.db, work.session, held, "slow runner")

    assert await transactor.run(finish) is False


async def test_what_a_dead_process_held_runs_when_its_lease_is_over(transactor: Transactor) -> None:
    await schedule(transactor, Task("held", "note", NOW))
    (held,) = await lease_all(transactor, "dead runner")
    assert not await lease_all(transactor, "other")
    clock_of(transactor).moment = NOW + 61 * SECOND
    async with running(runner(transactor)):
        await eventually(lambda: all_done(transactor))
    assert await ran(transactor) == ["held"]

    async def finish(work: Work) -> bool:
        return await store.finish_task(work.db, work.session, held, "dead runner")

    assert await transactor.run(finish) is False


async def test_a_process_takes_up_what_it_was_interrupted_in(transactor: Transactor) -> None:
    await schedule(transactor, Task("first", "note", NOW), Task("second", "note", NOW))
    assert len(await lease_all(transactor, "same runner")) == 2
    assert len(await lease_all(transactor, "same runner")) == 2


async def test_many_that_look_at_once_share_the_tasks_among_them(transactor: Transactor) -> None:
    await schedule(transactor, *(Task(f"t{n:02}", "note", NOW + n * timedelta(milliseconds=1)) for n in range(20)))
    later = store.Lease("", NOW + SECOND, NOW + 60 * SECOND)

    async def lease(number: int) -> list[Task]:
        mine = replace(later, holder=f"runner {number}")
        return await store.lease_tasks(transactor.database, ["note"], mine, 4)

    shares = await asyncio.gather(*(lease(number) for number in range(5)))
    keys = [task.key for share in shares for task in share]
    assert len(keys) == len(set(keys))
    assert len(keys) == 20


async def test_a_task_that_two_believe_they_hold_has_its_effect_once(transactor: Transactor) -> None:
    await schedule(transactor, Task("once", "note", NOW))
    (task,) = await lease_all(transactor, "runner")

    async def run_it(work: Work) -> None:
        if await store.finish_task(work.db, work.session, task, "runner"):
            await note(work, task)

    outcomes = await asyncio.gather(*(transactor.run(run_it) for _ in range(3)), return_exceptions=True)
    assert not [outcome for outcome in outcomes if isinstance(outcome, DuplicateKey)]
    assert await ran(transactor) == ["once"]


async def test_a_handler_may_schedule_its_own_key_again(transactor: Transactor) -> None:
    async def repeat(work: Work, task: Task) -> None:
        await work.db["ran"].insert_one({"_id": task.due.isoformat()}, session=work.session)
        work.schedule(Task(task.key, task.kind, task.due + SECOND))

    await schedule(transactor, Task("every second", "repeat", NOW))
    clock_of(transactor).moment = NOW + 2 * SECOND
    async with running(runner(transactor, repeat=TaskKind(repeat))):
        await eventually(lambda: ran_are(transactor, [(NOW + n * SECOND).isoformat() for n in range(3)]))


async def test_a_task_whose_work_the_store_never_takes_fails_and_holds_nobody_up(transactor: Transactor) -> None:
    transactor._request_seconds = 0.1

    async def tire(work: Work, _task: Task) -> None:
        await work.db["ran"].insert_one({"_id": "half done"}, session=work.session)
        raise OperationFailure("it lasted too long", 290, {"errorLabels": ["TransientTransactionError"]})

    await schedule(transactor, Task("endless", "tire", NOW), Task("good", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running(runner(transactor, tire=TaskKind(tire, IN_ORDER))):
        await eventually(lambda: ran_are(transactor, ["good"]))
    (kept,) = await tasks(transactor)
    assert kept["attempts"] >= 1
    assert kept["error"].startswith("OperationFailure")


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
    async with running(runner(transactor, options, slow=kind)), running(runner(transactor, options, slow=kind)):
        await eventually(lambda: bool(calls))
        for step in range(1, 4):  # the clock passes the end of one lease after another, which have been renewed
            before = await end_of_lease(transactor, "slow")
            clock_of(transactor).moment = NOW + step * timedelta(seconds=0.5)
            await eventually(lambda before=before: is_held_after(transactor, "slow", before))  # type: ignore[misc]
        released.set()
        await eventually(lambda: all_done(transactor))
    assert len(calls) == 1


async def end_of_lease(transactor: Transactor, key: str) -> datetime:
    lease = await transactor.database[store.LEASES].find_one({"_id": key})
    assert lease is not None
    return whole_milliseconds(lease["until"])


async def is_held_after(transactor: Transactor, key: str, moment: datetime) -> bool:
    return await end_of_lease(transactor, key) > moment


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
            await both.enter_async_context(running(runner(transactor, options, slow=TaskKind(slow, IN_ORDER))))
        await eventually(lambda: all_done(transactor))
        await eventually(lambda: nothing_is_held(transactor))
    assert begun == ["slow"]
    assert (await ran(transactor))[-1] == "slow"


async def nothing_is_held(transactor: Transactor) -> bool:
    return not await transactor.database[store.LEASES].count_documents({})


async def test_a_task_goes_on_step_by_step_with_its_progress(transactor: Transactor) -> None:
    async def count(work: Work, task: Task) -> Continue | None:
        number = task.payload["number"]
        await work.db["ran"].insert_one({"_id": f"step {number}"}, session=work.session)
        return Continue({"number": number + 1}, progress=Progress(number + 1, 3)) if number < 2 else None

    await schedule(transactor, Task("export", "count", NOW, {"number": 0}))
    async with running(runner(transactor, count=TaskKind(count))):
        await eventually(lambda: all_done(transactor))
    assert await ran(transactor) == ["step 0", "step 1", "step 2"]


async def test_a_periodic_task_runs_once_for_all_the_times_it_missed(transactor: Transactor) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    every_hour = Recurrence("FREQ=HOURLY;BYMINUTE=0;BYSECOND=0", "Asia/Shanghai", midnight)
    clock_of(transactor).moment = midnight + timedelta(hours=5, minutes=30)

    async def once(work: Work, task: Task) -> None:
        await work.db["ran"].insert_one({"_id": task.due.isoformat()}, session=work.session)

    await schedule(transactor, Task("sweep", "once", midnight, recurrence=every_hour))
    async with running(runner(transactor, once=TaskKind(once))):
        await eventually(lambda: ran_are(transactor, [midnight.isoformat()]))
        await eventually(lambda: _is_due_at(transactor, midnight + timedelta(hours=6)))


async def _is_due_at(transactor: Transactor, moment: datetime) -> bool:
    return [task["due"] for task in await tasks(transactor)] == [moment]


async def test_an_effect_that_was_not_recorded_is_repeated_under_the_same_key(transactor: Transactor) -> None:
    keys: list[str] = []

    async def call(run: TaskRun) -> str:
        keys.append(run.idempotency_key)
        return "sent"

    async def record(work: Work, _task: Task, result: str) -> None:
        if len(keys) == 1:
            raise RuntimeError("a fault between the call and its record")
        await work.db["ran"].insert_one({"_id": result}, session=work.session)

    retry = RetryPolicy(first_wait=timedelta(0))
    await schedule(transactor, Task("send", "send", NOW))
    async with running(runner(transactor, send=TaskKind(Effect(call, record), retry=retry))):
        await eventually(lambda: ran_are(transactor, ["sent"]))
        await eventually(lambda: all_done(transactor))
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_a_failing_task_is_tried_later_and_later_and_then_kept(transactor: Transactor) -> None:
    async def fail(work: Work, _task: Task) -> None:
        await work.db["ran"].insert_one({"_id": "half done"}, session=work.session)
        raise TimeoutError("the other side does not answer")

    async def has_failed(attempts: int) -> bool:
        return any(task["attempts"] == attempts for task in await tasks(transactor))

    await schedule(transactor, Task("bad", "fail", NOW))
    clock, waits = clock_of(transactor), []
    kind = TaskKind(fail, retry=RetryPolicy(attempts=4))
    async with running(runner(transactor, fail=kind)):
        for attempt in (1, 2, 3, 4):
            await eventually(lambda attempt=attempt: has_failed(attempt))  # type: ignore[misc]
            (bad,) = await tasks(transactor)
            waits.append((bad["due"] - clock.moment).total_seconds())
            clock.moment = bad["due"]
    assert waits[:3] == [1, 2, 4]
    (kept,) = await tasks(transactor)
    assert (kept["state"], kept["attempts"]) == ("failed", 4)
    assert kept["error"].startswith("TimeoutError in ")
    assert "the other side" not in kept["error"], "what an error says may quote a person's data"
    assert await ran(transactor) == []


async def test_an_error_that_is_not_worth_a_retry_fails_at_once_and_is_recorded(transactor: Transactor) -> None:
    async def call(_run: TaskRun) -> None:
        raise ValueError("refused")

    async def record(_work: Work, _task: Task, _result: object) -> None:
        raise AssertionError

    async def give_up(work: Work, _task: Task, reason: str) -> None:
        await work.db["ran"].insert_one({"_id": f"given up: {reason.partition(' ')[0]}"}, session=work.session)

    kind = TaskKind(Effect(call, record, give_up), retry=RetryPolicy(retry_on=(ConnectionError,)))
    await schedule(transactor, Task("send", "send", NOW))
    async with running(runner(transactor, send=kind)):
        await eventually(lambda: is_in_state(transactor, "send", "failed"))
    assert await ran(transactor) == ["given up: ValueError"]


async def test_a_failed_task_that_an_operator_retries_begins_anew(transactor: Transactor) -> None:
    mended = asyncio.Event()

    async def maybe(work: Work, task: Task) -> None:
        if not mended.is_set():
            raise RuntimeError("not yet mended")
        await note(work, task)

    kind = TaskKind(maybe, retry=RetryPolicy(attempts=1))
    await schedule(transactor, Task("send", "send", NOW))
    async with running(runner(transactor, send=kind)):
        await eventually(lambda: is_in_state(transactor, "send", "failed"))
        mended.set()
        assert await transactor.run(lambda work: store.retry_task(work.db, work.session, "send", work.now))
        await eventually(lambda: ran_are(transactor, ["send"]))


async def test_a_task_that_nobody_knows_is_a_failed_task_that_says_so(transactor: Transactor) -> None:
    await schedule(transactor, Task("strange", "of a later release", NOW), Task("known", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running(runner(transactor, TaskOptions(poll_seconds=0.05, lease=timedelta(seconds=0.3)))):
        await eventually(lambda: ran_are(transactor, ["known"]))
        assert {task["state"] for task in await tasks(transactor)} == {"waiting"}
        clock_of(transactor).moment = NOW + timedelta(minutes=11)
        await eventually(lambda: is_in_state(transactor, "strange", "failed"))
    (strange,) = await tasks(transactor)
    assert "nobody runs this kind" in strange["error"]


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
    async with running(runner(transactor, endless=TaskKind(Effect(call, record)))):
        await eventually(lambda: len(steps) > 3)
        found = await store.find_task(transactor.database, "endless")
        assert found is not None
        assert found.is_running
        assert found.task.progress is not None
        assert await transactor.run(lambda work: store.cancel_task(work.db, work.session, "endless"))
        done = len(steps)
        await eventually(lambda: len(steps) <= done + 50)
    assert await all_done(transactor)


async def test_what_a_stopping_process_has_in_hand_is_taken_up_at_once(transactor: Transactor) -> None:
    async def call(run: TaskRun) -> None:
        while True:
            await run.report_progress(0, 1)
            await asyncio.sleep(0)

    async def record(_work: Work, _task: Task, _result: object) -> None:
        return None

    await schedule(transactor, Task("long", "long", NOW))
    async with running(runner(transactor, long=TaskKind(Effect(call, record)))):
        await eventually(lambda: _is_held(transactor))
    assert await nothing_is_held(transactor)
    (left,) = await tasks(transactor)
    assert left["attempts"] == 0


async def _is_held(transactor: Transactor) -> bool:
    return not await nothing_is_held(transactor)

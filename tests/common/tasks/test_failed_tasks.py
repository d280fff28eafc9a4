"""What fails is tried again, and then kept where an operator sees it."""

import asyncio
from datetime import timedelta

from pymongo.errors import OperationFailure

from huiqun.tasks import store
from huiqun.tasks.model import Effect, RetryPolicy, TaskKind, TaskRun
from huiqun.tasks.runner import TaskOptions
from huiqun.testing.waiting import eventually, running_component
from huiqun.work import Task, Transactor, Work
from huiqun.work.transactor import TransactorOptions
from tests.common.tasks.bench import (
    IN_ORDER,
    NOW,
    SECOND,
    all_done,
    clock_of,
    is_in_state,
    note,
    ran,
    ran_are,
    runner,
    schedule,
    tasks,
)


async def test_a_task_whose_work_the_store_never_takes_fails_and_holds_nobody_up(transactor: Transactor) -> None:
    transactor._options = TransactorOptions(request_seconds=0.1)

    async def tire(work: Work, _task: Task) -> None:
        await work.collection("ran").insert_one({"_id": "half done"})
        raise OperationFailure("it lasted too long", 290, {"errorLabels": ["TransientTransactionError"]})

    await schedule(transactor, Task("endless", "tire", NOW), Task("good", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running_component(runner(transactor, tire=TaskKind(tire, IN_ORDER))):
        await eventually(lambda: ran_are(transactor, ["good"]))
    (kept,) = await tasks(transactor)
    assert kept["attempts"] >= 1
    assert kept["error"].startswith("OperationFailure")


async def test_an_effect_that_was_not_recorded_is_repeated_under_the_same_key(transactor: Transactor) -> None:
    keys: list[str] = []

    async def call(run: TaskRun) -> str:
        keys.append(run.idempotency_key)
        return "sent"

    async def record(work: Work, _task: Task, result: str) -> None:
        if len(keys) == 1:
            raise RuntimeError("a fault between the call and its record")
        await work.collection("ran").insert_one({"_id": result})

    retry = RetryPolicy(first_wait=timedelta(0))
    await schedule(transactor, Task("send", "send", NOW))
    async with running_component(runner(transactor, send=TaskKind(Effect(call, record), retry=retry))):
        await eventually(lambda: ran_are(transactor, ["sent"]))
        await eventually(lambda: all_done(transactor))
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_a_failing_task_is_tried_later_and_later_and_then_kept(transactor: Transactor) -> None:
    async def fail(work: Work, _task: Task) -> None:
        await work.collection("ran").insert_one({"_id": "half done"})
        raise TimeoutError("the other side does not answer")

    async def has_failed(attempts: int) -> bool:
        return any(task["attempts"] == attempts for task in await tasks(transactor))

    await schedule(transactor, Task("bad", "fail", NOW))
    clock, waits = clock_of(transactor), []
    kind = TaskKind(fail, retry=RetryPolicy(attempts=4))
    async with running_component(runner(transactor, fail=kind)):
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
        await work.collection("ran").insert_one({"_id": f"given up: {reason.partition(' ')[0]}"})

    kind = TaskKind(Effect(call, record, give_up), retry=RetryPolicy(retry_on=(ConnectionError,)))
    await schedule(transactor, Task("send", "send", NOW))
    async with running_component(runner(transactor, send=kind)):
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
    async with running_component(runner(transactor, send=kind)):
        await eventually(lambda: is_in_state(transactor, "send", "failed"))
        mended.set()
        assert await transactor.run(lambda work: store.retry_task(work, "send"))
        await eventually(lambda: ran_are(transactor, ["send"]))


async def test_a_task_that_nobody_knows_is_a_failed_task_that_says_so(transactor: Transactor) -> None:
    await schedule(transactor, Task("strange", "of a later release", NOW), Task("known", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running_component(runner(transactor, TaskOptions(poll_seconds=0.05, lease=timedelta(seconds=0.3)))):
        await eventually(lambda: ran_are(transactor, ["known"]))
        assert {task["state"] for task in await tasks(transactor)} == {"waiting"}
        clock_of(transactor).moment = NOW + timedelta(minutes=11)
        await eventually(lambda: is_in_state(transactor, "strange", "failed"))
    (strange,) = await tasks(transactor)
    assert "nobody runs this kind" in strange["error"]

"""Timers survive restarts, run once, catch up in order, and are not lost when they fail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import OperationFailure

from huiqun.runtime.clock import SystemClock, whole_milliseconds
from huiqun.store import DuplicateKey, connect, ensure_indexes
from huiqun.stream import STREAM_INDEXES, KafkaOptions, Publisher, Transactor, Work
from huiqun.timers import TIMER_INDEXES, Timer, TimerHandler, store
from huiqun.timers.runner import TimerRunner
from local.ports import free_port
from tests.clocks import SetClock
from tests.spine import eventually, running

NOW = whole_milliseconds(datetime.now(UTC))
SECOND = timedelta(seconds=1)


@pytest_asyncio.fixture
async def transactor(mongo_url: str, database_name: str) -> AsyncIterator[Transactor]:
    client = connect(mongo_url)
    await ensure_indexes(client[database_name], {**STREAM_INDEXES, **TIMER_INDEXES, "fired": ()})
    publisher = Publisher(KafkaOptions(f"127.0.0.1:{free_port()}"))
    yield Transactor(client, client[database_name], publisher, SetClock(NOW))
    await client.close()


def clock_of(transactor: Transactor) -> SetClock:
    assert isinstance(transactor.clock, SetClock)
    return transactor.clock


async def fire(timer: Timer, work: Work) -> None:
    """Note that a timer ran; once more, and the key exists."""
    await work.db["fired"].insert_one({"_id": timer.key, **timer.payload}, session=work.session)


def runner(transactor: Transactor, handlers: Mapping[str, TimerHandler] | None = None) -> TimerRunner:
    return TimerRunner(transactor, handlers or {"note": fire})


async def schedule(transactor: Transactor, *timers: Timer) -> None:
    async def use_case(work: Work) -> None:
        for timer in timers:
            work.schedule(timer)

    await transactor.run(use_case)


async def fired(transactor: Transactor) -> list[str]:
    return [document["_id"] async for document in transactor.database["fired"].find().sort("$natural", 1)]


async def waiting(transactor: Transactor) -> list[dict[str, Any]]:
    return [document async for document in transactor.database["timers"].find().sort("due", 1)]


async def all_done(transactor: Transactor) -> bool:
    return not await waiting(transactor)


async def test_timers_that_came_due_while_nobody_ran_them_run_in_their_order(transactor: Transactor) -> None:
    numbers = [7, 2, 9, 4, 1, 8, 3, 6, 5, 0]
    await schedule(transactor, *(Timer(f"t{n}", "note", NOW + n * SECOND, {"number": n}) for n in numbers))
    clock_of(transactor).moment = NOW + timedelta(hours=1)
    async with running(runner(transactor)):
        await eventually(lambda: all_done(transactor))
    assert await fired(transactor) == [f"t{n}" for n in range(10)]


async def test_a_timer_waits_until_it_is_due(transactor: Transactor) -> None:
    await schedule(transactor, Timer("soon", "note", NOW), Timer("later", "note", NOW + SECOND))
    async with running(runner(transactor)):
        await eventually(lambda: _fired_are(transactor, ["soon"]))
        clock_of(transactor).moment = NOW + SECOND
        await eventually(lambda: _fired_are(transactor, ["soon", "later"]))


async def test_two_runners_run_each_timer_once(transactor: Transactor) -> None:
    await schedule(transactor, *(Timer(f"t{n}", "note", NOW) for n in range(40)))
    async with AsyncExitStack() as both:
        for _ in range(2):
            await both.enter_async_context(running(runner(transactor)))
        await eventually(lambda: all_done(transactor))
    assert Counter(await fired(transactor)) == Counter(f"t{n}" for n in range(40))


async def test_a_lease_is_renewed_while_its_handler_runs_and_others_do_what_is_due(transactor: Transactor) -> None:
    lease, clock = timedelta(seconds=0.3), SystemClock()
    transactor.clock = clock
    begun: list[str] = []

    async def until_of(key: str) -> datetime:
        found = await transactor.database["timer_leases"].find_one({"_id": key})
        assert found is not None
        return whole_milliseconds(found["until"])

    async def slow(timer: Timer, work: Work) -> None:
        begun.append(timer.key)
        until = await until_of(timer.key)
        await eventually(lambda: has_passed(until + 3 * lease))
        await eventually(lambda: has_fired(10))
        await fire(timer, work)

    async def has_passed(moment: datetime) -> bool:
        return await until_of("slow") > moment

    async def has_fired(count: int) -> bool:
        return len(await fired(transactor)) >= count

    due = clock.now()
    await schedule(transactor, Timer("slow", "slow", due - SECOND), *(Timer(f"t{n}", "note", due) for n in range(10)))
    async with AsyncExitStack() as both:
        for _ in range(2):
            await both.enter_async_context(running(TimerRunner(transactor, {"note": fire, "slow": slow}, lease)))
        await eventually(lambda: all_done(transactor))
    assert begun == ["slow"]
    assert (await fired(transactor))[-1] == "slow"
    assert await transactor.database["timer_leases"].count_documents({}) == 0


async def test_a_cancelled_or_moved_timer_does_not_run_at_its_old_time(transactor: Transactor) -> None:
    await schedule(transactor, Timer("cancelled", "note", NOW), Timer("moved", "note", NOW), Timer("kept", "note", NOW))

    async def change(work: Work) -> None:
        work.cancel("cancelled")
        work.cancel("never there")
        work.schedule(Timer("moved", "note", NOW + SECOND))

    await transactor.run(change)
    async with running(runner(transactor)):
        await eventually(lambda: _fired_are(transactor, ["kept"]))
    assert [timer["_id"] for timer in await waiting(transactor)] == ["moved"]


async def test_a_timer_that_is_cancelled_while_a_runner_holds_it_does_nothing(transactor: Transactor) -> None:
    await schedule(transactor, Timer("late", "note", NOW))
    held = await store.lease(transactor.database, NOW, NOW + 60 * SECOND, "slow runner")
    assert held is not None

    async def cancel(work: Work) -> None:
        work.cancel("late")

    async def finish(work: Work) -> bool:
        return await store.finish(work.db, work.session, held, "slow runner")

    await transactor.run(cancel)
    assert await transactor.run(finish) is False


async def test_a_timer_that_a_dead_runner_held_runs_when_its_lease_is_over(transactor: Transactor) -> None:
    await schedule(transactor, Timer("held", "note", NOW))
    held = await store.lease(transactor.database, NOW, NOW + 60 * SECOND, "dead runner")
    assert held is not None
    assert await store.lease(transactor.database, NOW, NOW + 60 * SECOND, "other") is None
    clock_of(transactor).moment = NOW + 61 * SECOND
    async with running(runner(transactor)):
        await eventually(lambda: all_done(transactor))
    assert await fired(transactor) == ["held"]

    async def finish(work: Work) -> bool:
        return await store.finish(work.db, work.session, held, "dead runner")

    assert await transactor.run(finish) is False


async def test_a_runner_takes_up_the_timer_it_was_interrupted_in(transactor: Transactor) -> None:
    await schedule(transactor, Timer("first", "note", NOW), Timer("second", "note", NOW + SECOND))
    later = NOW + 5 * SECOND
    for _ in range(2):
        taken = await store.lease(transactor.database, later, later + 60 * SECOND, "same runner")
        assert taken is not None
        assert taken.key == "first"


async def test_a_handler_may_schedule_its_own_key_again(transactor: Transactor) -> None:
    async def repeat(timer: Timer, work: Work) -> None:
        await work.db["fired"].insert_one({"_id": timer.due.isoformat()}, session=work.session)
        work.schedule(Timer(timer.key, timer.kind, timer.due + SECOND))

    await schedule(transactor, Timer("every second", "repeat", NOW))
    clock_of(transactor).moment = NOW + 2 * SECOND
    async with running(runner(transactor, {"repeat": repeat})):
        await eventually(lambda: _fired_are(transactor, [(NOW + n * SECOND).isoformat() for n in range(3)]))


async def test_a_failing_timer_is_retried_later_and_later_and_then_kept_for_an_operator(
    transactor: Transactor,
) -> None:
    async def fail(_timer: Timer, work: Work) -> None:
        await work.db["fired"].insert_one({"_id": "half done"}, session=work.session)
        raise TimeoutError("the other side does not answer")

    async def has_failed(attempts: int) -> bool:
        return any(timer["attempts"] == attempts for timer in await waiting(transactor))

    await schedule(transactor, Timer("bad", "fail", NOW), Timer("good", "note", NOW + SECOND))
    clock, waits = clock_of(transactor), []
    async with running(runner(transactor, {"fail": fail, "note": fire})):
        for attempt in (1, 2, 3, 10):
            await eventually(lambda attempt=attempt: has_failed(attempt))  # type: ignore[misc]
            bad = next(timer for timer in await waiting(transactor) if timer["_id"] == "bad")
            waits.append((bad["due"] - clock.moment).total_seconds())
            if attempt == 3:  # the fourth to ninth would go on like this for eight minutes
                await transactor.database["timers"].update_one({"_id": "bad"}, {"$set": {"attempts": 9}})
            clock.moment = bad["due"]
        await eventually(lambda: _fired_are(transactor, ["good"]))
    assert waits[:3] == [1, 2, 4]
    (kept,) = await waiting(transactor)
    assert (kept["state"], kept["attempts"]) == ("failed", 10)
    assert kept["error"].startswith("TimeoutError in ")
    assert "the other side" not in kept["error"], "what an error says may quote a person's data"


async def test_a_timer_whose_work_the_store_never_takes_fails_and_holds_nobody_up(
    transactor: Transactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huiqun.stream.transactor._REQUEST_SECONDS", 0.1)

    async def tire(_timer: Timer, work: Work) -> None:
        await work.db["fired"].insert_one({"_id": "half done"}, session=work.session)
        raise OperationFailure("it lasted too long", 290, {"errorLabels": ["TransientTransactionError"]})

    await schedule(transactor, Timer("endless", "tire", NOW), Timer("good", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running(runner(transactor, {"tire": tire, "note": fire})):
        await eventually(lambda: _fired_are(transactor, ["good"]))
    (kept,) = await waiting(transactor)
    assert kept["attempts"] >= 1
    assert kept["error"].startswith("OperationFailure")


async def test_a_timer_of_an_unknown_kind_is_kept_and_holds_nobody_up(transactor: Transactor) -> None:
    await schedule(transactor, Timer("strange", "of a later version", NOW), Timer("known", "note", NOW + SECOND))
    clock_of(transactor).moment = NOW + SECOND
    async with running(runner(transactor)):
        await eventually(lambda: _fired_are(transactor, ["known"]))
    assert [timer["_id"] for timer in await waiting(transactor)] == ["strange"]


async def test_a_timer_that_is_being_run_twice_has_its_effect_once(transactor: Transactor) -> None:
    """Both of two transactions hold the timer; the store lets one of them finish it."""
    await schedule(transactor, Timer("once", "note", NOW))
    timer = await store.lease(transactor.database, NOW, NOW + 60 * SECOND, "runner")
    assert timer is not None

    async def run_it(work: Work) -> None:
        if await store.finish(work.db, work.session, timer, "runner"):
            await fire(timer, work)

    outcomes = await asyncio.gather(*(transactor.run(run_it) for _ in range(3)), return_exceptions=True)
    assert not [outcome for outcome in outcomes if isinstance(outcome, DuplicateKey)]
    assert await fired(transactor) == ["once"]


async def _fired_are(transactor: Transactor, keys: list[str]) -> bool:
    return await fired(transactor) == keys

"""Runs tasks when they are due, each queue beside the others, each task by one process only."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

import structlog

from huiqun.runtime.health import CombinedHeartbeat, Heartbeat
from huiqun.runtime.ids import new_id
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import StoreError, is_abort, is_transient
from huiqun.tasks import store
from huiqun.tasks.model import Continue, Effect, Queue, TaskCancelledError, TaskKind, TaskStoppedError
from huiqun.tasks.store import LeasedTask
from huiqun.telemetry import metrics, reason_of, traceback_of
from huiqun.work import Progress, Task, Transactor, Work
from huiqun.work.retry import until_it_passes

T = TypeVar("T")
_RENEWALS: Final = 3
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How tasks are run.

    A lease is renewed while its task runs, so it bounds only how long a task waits whose process has died.
    `unknown_after`: for so long another release may know what this one does not.
    """

    poll_seconds: float = 0.5
    lease: timedelta = timedelta(seconds=30)
    unknown_after: timedelta = timedelta(minutes=10)


class TaskRunner:
    """A part of a process: leases what is due in each queue and gives it to the handler of its kind."""

    name = "tasks"

    def __init__(
        self, transactor: Transactor, kinds: Mapping[str, TaskKind], options: TaskOptions = TaskOptions()
    ) -> None:
        self._transactor = transactor
        self._kinds = kinds
        self._options = options
        self._holder = new_id()
        self._running: set[str] = set()
        self.heartbeat = CombinedHeartbeat()
        self._queues = {queue: Heartbeat() for queue in dict.fromkeys(kind.queue for kind in kinds.values())}
        for heartbeat in self._queues.values():
            self.heartbeat.include(heartbeat)
        metrics.export_from_zero(metrics.TASKS_RUN, kind=kinds, outcome=["done", "interrupted", "retried", "failed"])

    async def run(self, stop: asyncio.Event) -> None:
        """Run tasks until `stop` is set; then finish those that run, and leave the others to other processes."""
        loops = [
            asyncio.create_task(self._run_queue(queue, stop), name=f"tasks of {queue.name}") for queue in self._queues
        ]
        loops.append(asyncio.create_task(self._renew(stop), name="task leases"))
        try:
            await asyncio.gather(*loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            with contextlib.suppress(StoreError, TimeoutError):  # where the store is away, the leases run out
                await asyncio.wait_for(store.release_leases(self._transactor.database, self._holder), 1)

    async def run_next(self) -> bool:
        """Run the one task of all queues that has been due longest, without the others; False when none is due."""
        leased = await self._lease(self._kinds, 1)
        for each in leased:
            await self._run_task(each, asyncio.Event())
        return bool(leased)

    async def _run_queue(self, queue: Queue, stop: asyncio.Event) -> None:
        """Keep as many tasks of a queue running as may run at once."""
        heartbeat = self._queues[queue]
        kinds = [name for name, kind in self._kinds.items() if kind.queue == queue]
        running: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                free = queue.concurrency - len(running)
                leased = await self._patiently(partial(self._lease, kinds, free), heartbeat)
                heartbeat.well()
                running |= {asyncio.create_task(self._run_task(each, stop), name=each.task.key) for each in leased}
                if len(running) == queue.concurrency:
                    await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
                elif not leased:
                    await wait_for_stop(stop, self._options.poll_seconds)
                running = _still_running(running)
            while running:
                await asyncio.wait(running)
                running = _still_running(running)
        finally:
            for each in (*running, stopping):
                each.cancel()
            await asyncio.gather(*running, stopping, return_exceptions=True)

    async def _lease(self, kinds: Collection[str], limit: int) -> list[LeasedTask]:
        leased = await store.lease_tasks(self._transactor.database, kinds, self._new_lease(), limit, self._running)
        self._running.update(each.task.key for each in leased)
        return leased

    def _new_lease(self) -> store.Lease:
        now = self._transactor.clock.now()
        return store.Lease(self._holder, now, now + self._options.lease)

    async def _renew(self, stop: asyncio.Event) -> None:
        """Hold on to the tasks in hand; now and then, count, and look for tasks that nobody knows."""

        async def renew() -> None:
            database, lease = self._transactor.database, self._new_lease()
            await store.renew_leases(database, lease, self._running)
            overdue = lease.now - self._options.unknown_after
            if unknown := await store.fail_unknown_tasks(database, self._kinds, overdue, lease.now):
                _log.error("tasks_unknown", tasks=unknown)
            await self._measure()

        while not stop.is_set():
            await self._patiently(renew, self.heartbeat)
            await wait_for_stop(stop, self._options.lease.total_seconds() / _RENEWALS)

    async def _measure(self) -> None:
        now = self._transactor.clock.now()
        failed = await store.count_failed_tasks(self._transactor.database)
        due = await store.count_due_tasks(self._transactor.database, self._kinds, now)
        for kind in self._kinds:
            metrics.TASKS_FAILED.labels(kind=kind).set(failed.pop(kind, 0))
        metrics.TASKS_FAILED.labels(kind=metrics.OTHER).set(sum(failed.values()))
        for queue in self._queues:
            waiting = [each for name, each in due.items() if self._kinds[name].queue == queue]
            metrics.TASKS_DUE.labels(queue=queue.name).set(sum(each.number for each in waiting))
            oldest = min((each.oldest for each in waiting), default=now)
            metrics.TASK_QUEUE_DELAY.labels(queue=queue.name).set((now - oldest).total_seconds())

    async def _run_task(self, leased: LeasedTask, stop: asyncio.Event) -> None:
        """Run one task to its end, its next attempt, or its failure; waits while the store is away."""
        task, now = leased.task, self._transactor.clock.now()
        metrics.TASK_DELAY.labels(kind=task.kind).observe(max((now - task.due).total_seconds(), 0.0))
        kind = self._kinds[task.kind]
        heartbeat = self._queues[kind.queue]
        try:
            if leased.deaths >= kind.retry.attempts:
                reason = f"each process that ran it was gone before it was done, {leased.deaths} in a row"
                outcome = await self._patiently(partial(self._give_up, task, reason), heartbeat)
            else:
                outcome = await self._attempt(task, heartbeat, stop)
            metrics.TASKS_RUN.labels(kind=task.kind, outcome=outcome).inc()
            release = partial(store.release_leases, self._transactor.database, self._holder, [task.key])
            await self._patiently(release, heartbeat)
        finally:
            self._running.discard(task.key)

    async def _attempt(self, task: Task, heartbeat: Heartbeat, stop: asyncio.Event) -> str:
        """Run a task once; returns the outcome."""
        handler = self._kinds[task.kind].handler
        try:
            if isinstance(handler, Effect):
                run = _Run(task, self._transactor, self._holder, heartbeat, stop)
                result = await self._patiently(partial(handler.call, run), heartbeat)
                finish = partial(self._finish, task, lambda work: handler.record(work, task, result))
            else:
                finish = partial(self._finish, task, lambda work: handler(work, task))
            await self._patiently(finish, heartbeat)
        except (TaskCancelledError, TaskStoppedError):
            return "interrupted"
        except Exception as error:  # noqa: BLE001 - the retry policy of its kind says what is done about it
            return await self._patiently(partial(self._failed, task, error), heartbeat)
        return "done"

    async def _finish(self, task: Task, handle: Callable[[Work], Awaitable[Continue | None]]) -> None:
        """End a task in the transaction of its handler; nothing happens where it is not this process's any more."""

        async def finish(work: Work) -> None:
            if not await store.finish_task(work.db, work.session, task, self._holder):
                return
            outcome = await handle(work)
            if outcome is not None:
                due = outcome.due or work.now
                work.schedule(replace(task, payload=outcome.payload, due=due, progress=outcome.progress))
            elif task.recurrence is not None and task.key not in work.scheduled and task.key not in work.cancelled:
                due_again = task.recurrence.next_due(max(task.due, work.now))
                if due_again is not None:
                    work.schedule(replace(task, due=due_again, progress=None))

        await self._transactor.run(finish)

    async def _failed(self, task: Task, error: Exception) -> str:
        """Have a failed task tried again later, or keep it for an operator."""
        where, reason = traceback_of(error), reason_of(error)
        _log.error("task_failed", kind=task.kind, key=task.key, attempts=task.attempts + 1, where=where)
        kind, now = self._kinds[task.kind], self._transactor.clock.now()
        wait = kind.retry.wait_after(task.attempts + 1, error)
        if wait is not None:
            await store.postpone_task(self._transactor.database, task, now + wait, reason)
            return "retried"
        return await self._give_up(task, reason)

    async def _give_up(self, task: Task, reason: str) -> str:
        kind, now = self._kinds[task.kind], self._transactor.clock.now()

        async def give_up(work: Work) -> None:
            given_up = await store.fail_task(work.db, work.session, task, reason, now)
            if given_up and isinstance(kind.handler, Effect) and kind.handler.give_up is not None:
                await kind.handler.give_up(work, task, reason)

        await self._transactor.run(give_up)
        return "failed"

    async def _patiently(self, attempt: Callable[[], Awaitable[T]], heartbeat: Heartbeat) -> T:
        """Run `attempt`, again for as long as the store is away.

        What the store ends again and again is no outage: it fails, and holds nobody up.
        """
        return await until_it_passes(attempt, name=self.name, on_wait=heartbeat.failing, passes=_store_is_away)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of an effect."""

    task: Task
    transactor: Transactor
    holder: str
    heartbeat: Heartbeat
    stop: asyncio.Event

    @property
    def idempotency_key(self) -> str:
        """The same at every attempt."""
        return self.task.idempotency_key

    async def report_progress(self, done: int, total: int) -> None:
        """Note how far it has come; raises TaskCancelledError and TaskStoppedError."""
        self.heartbeat.beat()
        if self.stop.is_set():
            raise TaskStoppedError(self.task.key)
        if not await store.report_progress(self.transactor.database, self.task, self.holder, Progress(done, total)):
            raise TaskCancelledError(self.task.key)


def _store_is_away(error: BaseException) -> bool:
    return is_transient(error) and not is_abort(error)


def _still_running(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Those that are not done; raises what one of the others failed with."""
    for each in running:
        if each.done():
            each.result()
    return {each for each in running if not each.done()}

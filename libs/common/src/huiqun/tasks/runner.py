"""Runs tasks when they are due, each queue beside the others, each task by one process only."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import structlog

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.ids import new_id
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import is_transient as store_is_transient
from huiqun.stream.dead_letters import reason_of, traceback_of
from huiqun.stream.retry import until_it_passes
from huiqun.stream.transactor import Transactor
from huiqun.stream.work import Work
from huiqun.tasks import store
from huiqun.tasks.model import (
    DEFAULT_QUEUE,
    Continue,
    Effect,
    Progress,
    Task,
    TaskCancelledError,
    TaskKind,
    TaskStoppedError,
)
from huiqun.telemetry import metrics

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How tasks are run. `queues` says how many of each queue this process runs at once.

    A queue of one runs in the order of due times. A lease is renewed while its task runs, so it bounds only how long
    a task waits whose process has died. `unknown_after`: for so long another release may know what this one does not.
    """

    queues: Mapping[str, int] = field(default_factory=lambda: {DEFAULT_QUEUE: 4})
    poll_seconds: float = 0.5
    lease: timedelta = timedelta(seconds=30)
    unknown_after: timedelta = timedelta(minutes=10)


class TaskRunner:
    """A component of a process: leases what is due in each queue and gives it to the handler of its kind."""

    name = "tasks"

    def __init__(
        self, transactor: Transactor, kinds: Mapping[str, TaskKind], options: TaskOptions = TaskOptions()
    ) -> None:
        self.heartbeat = Heartbeat()
        self._transactor = transactor
        if stray := {kind.queue for kind in kinds.values()} - set(options.queues):
            raise ValueError(f"nobody runs the queues {', '.join(sorted(stray))}")
        self._kinds = kinds
        self._options = options
        self._holder = new_id()
        self._held: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Run tasks until `stop` is set; then finish those that run, and leave the others to other processes."""
        loops = [
            asyncio.create_task(self._run_queue(queue, concurrency, stop), name=f"tasks of {queue}")
            for queue, concurrency in self._options.queues.items()
        ]
        loops.append(asyncio.create_task(self._renew(stop), name="task leases"))
        try:
            await asyncio.gather(*loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            with contextlib.suppress(Exception):  # where the store is away, the leases run out by themselves
                await asyncio.wait_for(store.release_leases(self._transactor.database, self._holder), 1)

    async def _run_queue(self, queue: str, concurrency: int, stop: asyncio.Event) -> None:
        """Keep up to `concurrency` tasks of a queue running."""
        running: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self.heartbeat.beat()
                found = await self._lease(queue, concurrency - len(running))
                running |= {asyncio.create_task(self._run_task(task, stop), name=task.key) for task in found}
                if running and len(running) == concurrency:
                    await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
                elif not found:
                    await wait_for_stop(stop, self._options.poll_seconds)
                running = _still_running(running)
            while running:
                await asyncio.wait(running)
                running = _still_running(running)
        finally:
            for each in (*running, stopping):
                each.cancel()
            await asyncio.gather(*running, stopping, return_exceptions=True)

    async def _lease(self, queue: str, limit: int) -> list[Task]:
        kinds = [name for name, kind in self._kinds.items() if kind.queue == queue]

        async def attempt() -> list[Task]:
            return await store.lease_tasks(self._transactor.database, kinds, self._new_lease(), limit)

        leased = await until_it_passes(attempt, name=self.name, on_wait=self.heartbeat.failing)
        self.heartbeat.well()
        self._held.update(task.key for task in leased)
        return leased

    def _new_lease(self) -> store.Lease:
        now = self._transactor.clock.now()
        return store.Lease(self._holder, now, now + self._options.lease)

    async def _renew(self, stop: asyncio.Event) -> None:
        """Hold on to the tasks in hand; now and then, count, and look for tasks that nobody knows."""
        database = self._transactor.database

        async def attempt() -> None:
            lease = self._new_lease()
            await store.renew_leases(database, lease, self._held)
            unknown = await store.fail_unknown_tasks(
                database, self._kinds, lease.now - self._options.unknown_after, lease.now
            )
            if unknown:
                _log.error("tasks_unknown", tasks=unknown)
            await self._measure()

        while not await wait_for_stop(stop, self._options.lease.total_seconds() / 3):
            await until_it_passes(attempt, name=self.name, on_wait=self.heartbeat.failing)

    async def _measure(self) -> None:
        now = self._transactor.clock.now()
        failed = await store.count_failed_tasks(self._transactor.database)
        due = await store.count_due_tasks(self._transactor.database, self._kinds, now)
        for kind in self._kinds:
            metrics.TASKS_FAILED.labels(kind=kind).set(failed.pop(kind, 0))
        metrics.TASKS_FAILED.labels(kind="unknown").set(sum(failed.values()))
        for queue in self._options.queues:
            waiting = [each for name, each in due.items() if self._kinds[name].queue == queue]
            metrics.TASKS_DUE.labels(queue=queue).set(sum(each.number for each in waiting))
            oldest = min((each.oldest for each in waiting), default=now)
            metrics.TASK_QUEUE_DELAY.labels(queue=queue).set((now - oldest).total_seconds())

    async def _run_task(self, task: Task, stop: asyncio.Event) -> None:
        """Run one task to its end, its next attempt, or its failure; waits while the store is away."""
        now = self._transactor.clock.now()
        metrics.TASK_DELAY.labels(kind=task.kind).observe(max((now - task.due).total_seconds(), 0.0))

        async def attempt() -> str:
            try:
                return await self._attempt(task, stop)
            except Exception as error:
                if store_is_transient(error):
                    raise
                return await self._failed(task, error)

        try:
            outcome = await until_it_passes(attempt, name=self.name, on_wait=self.heartbeat.failing)
            metrics.TASKS_RUN.labels(kind=task.kind, outcome=outcome).inc()
        finally:
            self._held.discard(task.key)

    async def _attempt(self, task: Task, stop: asyncio.Event) -> str:
        handler = self._kinds[task.kind].handler
        if not isinstance(handler, Effect):
            await self._transactor.run(lambda work: self._finish(work, task, partial(handler, work, task)))
            return "done"
        try:
            result = await handler.call(_Run(task, self._transactor, self._holder, stop))
        except (TaskCancelledError, TaskStoppedError):
            return "interrupted"
        await self._transactor.run(lambda work: self._finish(work, task, partial(handler.record, work, task, result)))
        return "done"

    async def _finish(self, work: Work, task: Task, handle: Callable[[], Awaitable[Continue | None]]) -> None:
        """End a task in the transaction of its handler; nothing happens where it is not this process's any more."""
        if not await store.finish_task(work.db, work.session, task, self._holder):
            return
        outcome = await handle()
        if outcome is not None:
            due = outcome.due or work.now
            work.schedule(replace(task, payload=outcome.payload, due=due, progress=outcome.progress))
        elif task.recurrence is not None and task.key not in work.scheduled and task.key not in work.cancelled:
            due_again = task.recurrence.next_due(max(task.due, work.now))
            if due_again is not None:
                work.schedule(replace(task, due=due_again, progress=None))

    async def _failed(self, task: Task, error: Exception) -> str:
        """Have a failed task tried again later, or keep it for an operator."""
        where, reason = traceback_of(error), reason_of(error)
        _log.error("task_failed", kind=task.kind, key=task.key, attempts=task.attempts + 1, where=where)
        kind, now = self._kinds[task.kind], self._transactor.clock.now()
        wait = kind.retry.wait_after(task.attempts + 1, error)
        if wait is not None:
            await store.postpone_task(self._transactor.database, task, self._holder, now + wait, reason)
            return "retried"

        async def give_up(work: Work) -> None:
            given_up = await store.fail_task(work.db, work.session, task, self._holder, (reason, now))
            if given_up and isinstance(kind.handler, Effect) and kind.handler.give_up is not None:
                await kind.handler.give_up(work, task, reason)

        await self._transactor.run(give_up)
        return "failed"


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of an effect."""

    task: Task
    transactor: Transactor
    holder: str
    stop: asyncio.Event

    @property
    def idempotency_key(self) -> str:
        """The same at every attempt."""
        return self.task.idempotency_key

    async def report_progress(self, done: int, total: int) -> None:
        """Note how far it has come; raises TaskCancelledError and TaskStoppedError."""
        if self.stop.is_set():
            raise TaskStoppedError(self.task.key)
        if not await store.report_progress(self.transactor.database, self.task, self.holder, Progress(done, total)):
            raise TaskCancelledError(self.task.key)


def _still_running(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Those that are not done; raises what one of the others failed with."""
    for each in running:
        if each.done():
            each.result()
    return {each for each in running if not each.done()}

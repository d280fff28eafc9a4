"""Runs tasks when they are due, each queue beside the others, each task by one process only."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from huiqun.runtime.health import CombinedHeartbeat, Heartbeat
from huiqun.runtime.ids import new_id
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import StoreError
from huiqun.tasks import store
from huiqun.tasks.attempt import ATTEMPT_OUTCOMES, RETRY_NAME, Attempt, retry_transient
from huiqun.tasks.model import Queue, TaskKind
from huiqun.tasks.store import LeasedTask
from huiqun.telemetry import metrics
from huiqun.work import Transactor

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

    name = RETRY_NAME

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
        self._awake = {queue: asyncio.Event() for queue in self._queues}
        for heartbeat in self._queues.values():
            self.heartbeat.include(heartbeat)
        metrics.initialize_series(metrics.TASKS_RUN, kind=kinds, outcome=ATTEMPT_OUTCOMES)

    async def run(self, stop: asyncio.Event) -> None:
        """Run tasks until `stop` is set; then finish those that run, and leave the others to other processes."""
        loops = [
            asyncio.create_task(self._run_queue(queue, stop), name=f"tasks of {queue.name}") for queue in self._queues
        ]
        loops.append(asyncio.create_task(self._watch(stop), name="tasks that are due"))
        loops.append(asyncio.create_task(self._renew(stop), name="task leases"))
        try:
            await asyncio.gather(*loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            with contextlib.suppress(StoreError, TimeoutError):  # where the store is away, the leases run out
                async with asyncio.timeout(1):
                    await store.release_leases(self._transactor.database, self._holder)

    async def run_next(self) -> bool:
        """Run the one task of all queues that has been due longest, without the others; False when none is due."""
        leased = await self._lease(self._kinds, 1)
        for each in leased:
            await self._run_task(each, asyncio.Event())
        return bool(leased)

    async def _watch(self, stop: asyncio.Event) -> None:
        """Wake the queues that have something due: idle ones ask nothing for themselves."""
        while not stop.is_set():
            idle = [queue for queue in self._queues if not self._awake[queue].is_set()]
            kinds = [name for name, kind in self._kinds.items() if kind.queue in idle]
            look = partial(store.find_due_kinds, self._transactor.database, kinds, self._new_lease(), self._running)
            due = await retry_transient(look, self.heartbeat) if idle else set()
            for queue in idle:
                self._queues[queue].mark_healthy()
            for kind in due:
                self._awake[self._kinds[kind].queue].set()
            if not due:
                await wait_for_stop(stop, self._options.poll_seconds)

    async def _run_queue(self, queue: Queue, stop: asyncio.Event) -> None:
        """Keep as many tasks of a queue running as may run at once; sleep while none is due."""
        awake, heartbeat = self._awake[queue], self._queues[queue]
        kinds = [name for name, kind in self._kinds.items() if kind.queue == queue]
        running: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                free = queue.concurrency - len(running)
                leased = await retry_transient(partial(self._lease, kinds, free), heartbeat)
                heartbeat.mark_healthy()
                running |= {asyncio.create_task(self._run_task(each, stop), name=each.task.key) for each in leased}
                if len(leased) < free:
                    awake.clear()
                waking = asyncio.create_task(awake.wait())
                has_room = len(running) < queue.concurrency
                waits = {*running, stopping, waking} if has_room else {*running, stopping}
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
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
            await retry_transient(renew, self.heartbeat)
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
        task, kind, now = leased.task, self._kinds[leased.task.kind], self._transactor.clock.now()
        metrics.TASK_DELAY.labels(kind=task.kind).observe(max((now - task.due).total_seconds(), 0.0))
        attempt = Attempt(task, kind, self._holder, self._transactor, self._queues[kind.queue], stop)
        try:
            outcome = await attempt.run(leased.deaths)
            metrics.TASKS_RUN.labels(kind=task.kind, outcome=outcome).inc()
        finally:
            self._running.discard(task.key)


def _still_running(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Those that are not done; raises what one of the others failed with."""
    for each in running:
        if each.done():
            each.result()
    return {each for each in running if not each.done()}

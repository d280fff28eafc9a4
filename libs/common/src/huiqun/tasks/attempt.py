"""One attempt at a task that this process has leased: to its end, its next attempt, or its failure."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import structlog

from huiqun.runtime.health import Heartbeat
from huiqun.store import is_transaction_abort, is_transient
from huiqun.tasks import store
from huiqun.tasks.model import Continue, Effect, TaskCancelledError, TaskKind, TaskStoppedError
from huiqun.telemetry import format_frames, locate_error
from huiqun.telemetry.tracing import start_span
from huiqun.work import Progress, Task, Transactor, Work
from huiqun.work.retry import IsRetryable, retry_forever

T = TypeVar("T")
RETRY_NAME: Final = "tasks"
ATTEMPT_OUTCOMES: Final = ("done", "interrupted", "retried", "failed")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is needed to run a task once; an effect is given it as its `TaskRun`."""

    task: Task
    kind: TaskKind
    holder: str
    transactor: Transactor
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
        self.heartbeat.mark_healthy()

    async def run(self, deaths: int) -> str:
        """Run the task, waiting while the store is away, and give its lease back; returns one of ATTEMPT_OUTCOMES.

        `deaths` is how many processes in a row were gone while they ran it.
        """
        with start_span(f"task {self.task.kind}", self.task.traceparent):
            if deaths >= self.kind.retry.attempts:
                reason = f"each process that ran it was gone before it was done, {deaths} in a row"
                outcome = await retry_transient(partial(self._give_up, reason), self.heartbeat)
            else:
                outcome = await self._run()
        release = partial(store.release_leases, self.transactor.database, self.holder, [self.task.key])
        await retry_transient(release, self.heartbeat)
        return outcome

    async def _run(self) -> str:
        handler = self.kind.handler
        try:
            if isinstance(handler, Effect):
                result = await self._while_store_is_there(partial(handler.call, self))
                finish = partial(self._finish, lambda work: handler.record(work, self.task, result))
            else:
                finish = partial(self._finish, lambda work: handler(work, self.task))
            await self._while_store_is_there(finish)
        except (TaskCancelledError, TaskStoppedError):
            return "interrupted"
        except Exception as error:  # noqa: BLE001 - the retry policy of its kind says what is done about it
            return await retry_transient(partial(self._fail, error), self.heartbeat)
        return "done"

    async def _while_store_is_there(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the store ends again and again is no outage: it fails, and holds nobody up."""
        return await retry_transient(
            attempt, self.heartbeat, lambda error: is_transient(error) and not is_transaction_abort(error)
        )

    async def _finish(self, handle: Callable[[Work], Awaitable[Continue | None]]) -> None:
        """End the task in the transaction of its handler; nothing happens where it is not this process's any more."""
        task = self.task

        async def finish(work: Work) -> None:
            if not await store.finish_task(work, task, self.holder):
                return
            work.task_key = task.key
            outcome = await handle(work)
            if outcome is not None:
                due = outcome.due or work.now
                work.schedule(replace(task, payload=outcome.payload, due=due, progress=outcome.progress))
            elif task.recurrence is not None and task.key not in work.scheduled and task.key not in work.cancelled:
                due_again = task.recurrence.next_due(max(task.due, work.now))
                if due_again is not None:
                    work.schedule(replace(task, due=due_again, progress=None))

        await self.transactor.run(finish)

    async def _fail(self, error: Exception) -> str:
        """Have the task tried again later, or keep it for an operator."""
        task, number, reason = self.task, self.task.attempts + 1, locate_error(error)
        _log.error("task_failed", kind=task.kind, key=task.key, attempts=number, where=format_frames(error))
        wait = self.kind.retry.wait_after(number, error)
        if wait is None:
            return await self._give_up(reason)
        await store.postpone_task(self.transactor.database, task, self.transactor.clock.now() + wait, reason)
        return "retried"

    async def _give_up(self, reason: str) -> str:
        """Keep the task for an operator, and record what giving up means; where that fails, the task is kept alone."""
        handler = self.kind.handler
        record = handler.give_up if isinstance(handler, Effect) else None

        async def give_up(work: Work) -> None:
            if await store.fail_task(work, self.task, reason) and record is not None:
                await record(work, self.task, reason)

        try:
            await self.transactor.run(give_up)
        except Exception as error:
            if record is None or is_transient(error):
                raise
            record = None
            _log.error("giving_up_not_recorded", kind=self.task.kind, key=self.task.key, where=format_frames(error))
            await self.transactor.run(give_up)
        return "failed"


async def retry_transient(
    attempt: Callable[[], Awaitable[T]], heartbeat: Heartbeat, retry_on: IsRetryable = is_transient
) -> T:
    """Run `attempt`, again for as long as the store asks for it."""
    return await retry_forever(attempt, name=RETRY_NAME, on_retry=heartbeat.mark_failing, retry_on=retry_on)

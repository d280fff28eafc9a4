"""How the kinds of task are run, and what is done when one fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias

from huiqun.work import Progress, Task, Work


@dataclass(frozen=True, slots=True)
class Queue:
    """Tasks that wait for each other and for no others; each process runs so many of them at once.

    With a concurrency of one, a process runs them in the order of their due times.
    """

    name: str
    concurrency: int = 4


DEFAULT_QUEUE: Final = Queue("default")


class TaskCancelledError(Exception):
    """The task was cancelled, moved to another time, or taken over by another process, while it ran."""


class TaskStoppedError(Exception):
    """The process is stopping; another one takes the task up."""


@dataclass(frozen=True, slots=True)
class Continue:
    """A handler's answer that the task is not done: it goes on, with this payload, at `due` (now where None)."""

    payload: Mapping[str, Any]
    due: datetime | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed task is tried, and which errors are worth it; what is not retried fails at once.

    The waits double from `first_wait` to `longest_wait`, or are what the error itself asks for (`retry_after`, in
    seconds). While the store is away nothing counts: a task waits for it as long as it takes.
    """

    attempts: int = 10
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=10)
    # Any error: a handler's may be mended by a release, within the time that the attempts take.
    retry_on: tuple[type[Exception], ...] = (Exception,)

    def wait_after(self, attempts: int, error: Exception) -> timedelta | None:
        """How long to wait after the attempt of this number (1 for the first); None to give up."""
        if attempts >= self.attempts or not isinstance(error, self.retry_on):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, int | float):
            return timedelta(seconds=float(asked))
        doubled: timedelta = self.first_wait * 2 ** min(attempts - 1, 30)
        return min(doubled, self.longest_wait)


class TaskRun(Protocol):
    """What an effect is given: the task, a key under which it may be repeated safely, and how to report."""

    @property
    def task(self) -> Task:
        """The task as it was scheduled."""

    @property
    def idempotency_key(self) -> str:
        """The same at every attempt, for the system that is called."""

    async def report_progress(self, done: int, total: int) -> None:
        """Note how far it has come; raises TaskCancelledError and TaskStoppedError.

        A call that takes long reports now and then, lest its process is taken for stuck.
        """


TransactionalHandler: TypeAlias = "Callable[[Work, Task], Awaitable[Continue | None]]"


@dataclass(frozen=True, slots=True)
class Effect:
    """Work outside the store, which no transaction can take back: call, then record what came of it.

    `call` runs outside any transaction. Where the process dies between the two, the call is made again under the same
    idempotency key. `give_up` records that the attempts are used up.
    """

    call: Callable[[TaskRun], Awaitable[Any]]
    record: Callable[[Work, Task, Any], Awaitable[Continue | None]]
    give_up: Callable[[Work, Task, str], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class TaskKind:
    """How tasks of a kind are run: by a handler in the transaction that ends them, or as an effect; in which queue."""

    handler: TransactionalHandler | Effect
    queue: Queue = DEFAULT_QUEUE
    retry: RetryPolicy = RetryPolicy()

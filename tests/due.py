"""A clock that moves to what is due next, and what is done then."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from huiqun.tasks import store
from huiqun.tasks.runner import TaskRunner
from huiqun.work import Transactor


class NotingTransactor(Transactor):
    """Runs the use cases of tasks as a rig runs its own, so that the rig sees what they emit."""

    def __init__(self, transactor: Transactor, commit: Callable[[Any], Awaitable[Any]]) -> None:
        super().__init__(transactor._client, transactor.database, transactor.publisher, transactor.clock)
        self._commit_in_rig = commit

    async def run(self, use_case: Any) -> Any:
        return await self._commit_in_rig(use_case)


async def next_due(transactor: Transactor, until: datetime) -> datetime | None:
    """When the next task is due; None where none is by then."""
    due = await store.find_next_due(transactor.database)
    return due if due is not None and due <= until else None


async def run_all_due(runner: TaskRunner, most: int = 10_000) -> None:
    """Run what is due now, and what becomes due by it, one task after the other."""
    for _ in range(most):
        if not await runner.run_next():
            return
    raise AssertionError(f"there is no end to it after {most} tasks")

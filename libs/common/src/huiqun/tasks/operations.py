"""What an operator does with tasks, over HTTP or at the shell: each is audited."""

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.runtime.errors import NotFoundError
from huiqun.tasks import store
from huiqun.work import Work


class TaskNotFoundError(NotFoundError):
    """There is no task of this key: it has run, was cancelled, or never was."""


class TaskNotFailedError(ValueError):
    """The task has not failed: it waits for its time, or runs."""


async def retry_failed_task(work: Work, key: str, actor: str) -> None:
    """Have a failed task tried anew, at once. Raises TaskNotFoundError, TaskNotFailedError."""
    if not await store.retry_task(work, key):
        raise TaskNotFoundError(key) if await store.find_task(work, key) is None else TaskNotFailedError(key)
    await append_audit_entry(work, AuditEntry(actor, "task.retried", f"task/{key}"))


async def cancel_task_by_hand(work: Work, key: str, actor: str) -> None:
    """Delete a task that waits, runs or has failed. Raises TaskNotFoundError."""
    if not await store.cancel_task(work, key):
        raise TaskNotFoundError(key)
    await append_audit_entry(work, AuditEntry(actor, "task.cancelled", f"task/{key}"))

"""`huiqun tasks`: see what a service has to do and what has failed; try it again, or call it off."""

from typing import Annotated

import typer
from rich.table import Table

from huiqun.cli.operator import run_in_transaction, shell_actor
from huiqun.cli.terminal import (
    EXIT_FAILED,
    Service,
    exit_with_error,
    notes,
    open_database,
    output,
    printable_line,
    run_command,
)
from huiqun.store import OutsideTransaction
from huiqun.tasks import store
from huiqun.tasks.operations import TaskNotFailedError, TaskNotFoundError, cancel_task_by_hand, retry_failed_task
from huiqun.tasks.store import TaskFilter, TaskRecord
from huiqun.work.task import WAITING

_STATES = (WAITING, store.FAILED)
app = typer.Typer(help="The durable tasks of a service: due, running, failed.", no_args_is_help=True)
Key = Annotated[str, typer.Argument(help="The task's key, as `list` shows it.")]


@app.command("list")
def list_all(
    service: Service,
    state: Annotated[str | None, typer.Option(metavar="|".join(_STATES), help="Only tasks in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only tasks of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """Show tasks, those due first; a task that is done is not there any more."""
    if state is not None and state not in _STATES:
        exit_with_error(f"There is no state {state}; there are {' and '.join(_STATES)}.")
    found = run_command(_list(service, TaskFilter(state, kind), limit + 1))
    table = Table("key", "kind", "due (UTC)", "state", "attempts", "progress", "last error")
    for record in found[:limit]:
        task = record.task
        table.add_row(
            *(printable_line(task.key), task.kind, f"{task.due:%F %T}", _state_of(record)),
            *(str(task.attempts), _progress_of(record), printable_line(record.error)),
        )
    output.print(table)
    if len(found) > limit:
        notes.print(f"There are more than these {limit}; --limit shows more.", highlight=False)


@app.command()
def show(service: Service, key: Key) -> None:
    """Show all there is to know about a task."""
    record = run_command(_find(service, key))
    if record is None:
        exit_with_error(f"{service} has no task {key}: it has run, was cancelled, or never was.", EXIT_FAILED)
    task = record.task
    rows = {
        "key": task.key,
        "kind": task.kind,
        "state": _state_of(record),
        "due": f"{task.due:%F %T} UTC",
        "scheduled": f"{record.scheduled_at:%F %T} UTC",
        "repeats": f"{task.recurrence.rule}, {task.recurrence.timezone}" if task.recurrence else "no",
        "attempts": str(task.attempts),
        "progress": _progress_of(record),
        "last error": record.error,
        "payload": str(dict(task.payload)),
    }
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(name, printable_line(value))
    output.print(table)


@app.command()
def retry(service: Service, key: Key) -> None:
    """Have a failed task tried anew, at once."""
    try:
        run_command(run_in_transaction(service, lambda work: retry_failed_task(work, key, shell_actor())))
    except TaskNotFoundError:
        exit_with_error(
            f"{service} has no task {key}: huiqun tasks list --service {service} --state failed", EXIT_FAILED
        )
    except TaskNotFailedError:
        exit_with_error(f"{key} has not failed: huiqun tasks show --service {service} {key}", EXIT_FAILED)
    notes.print(f"{key} is due now.", highlight=False)


@app.command()
def cancel(service: Service, key: Key) -> None:
    """Delete a task, so that its work is not done, or not done again."""
    try:
        run_command(run_in_transaction(service, lambda work: cancel_task_by_hand(work, key, shell_actor())))
    except TaskNotFoundError:
        exit_with_error(f"{service} has no task {key}: huiqun tasks list --service {service}", EXIT_FAILED)
    notes.print(f"{key} is cancelled.", highlight=False)


async def _list(service: str, wanted: TaskFilter, limit: int) -> list[TaskRecord]:
    async with open_database(service) as database:
        return await store.list_tasks(OutsideTransaction(database), wanted, None, limit)


async def _find(service: str, key: str) -> TaskRecord | None:
    async with open_database(service) as database:
        return await store.find_task(OutsideTransaction(database), key)


def _state_of(record: TaskRecord) -> str:
    return "running" if record.is_running else record.state


def _progress_of(record: TaskRecord) -> str:
    progress = record.task.progress
    return f"{progress.done} of {progress.total or '?'}" if progress else ""

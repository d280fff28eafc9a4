"""Routes of the tasks, the same for every service: list, read, retry, cancel."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.tasks import store
from huiqun.tasks.operations import TaskNotFailedError, TaskNotFoundError, cancel_task_by_hand, retry_failed_task
from huiqun.tasks.store import TaskFilter, TaskRecord
from huiqun.web import Caller, Page, Paging, ReadDatabase, Router, WriteOnce
from huiqun.work import Work

router = Router(
    "/api/v1/tasks",
    tag="tasks",
    role="operator",
    problems={TaskNotFailedError: (409, "task-not-failed")},
)

TaskKey = Annotated[
    str,
    Path(
        max_length=512,
        pattern=r"^[^\s\x00-\x1f\x7f]+$",
        description="The task's key, slashes included.",
        examples=["rules/group-1"],
    ),
]
State = Annotated[
    Literal["waiting", "failed"] | None, Query(description="Only tasks in this state.", examples=["failed"])
]
Kind = Annotated[
    str | None,
    Query(
        max_length=128, pattern=r"^[a-z0-9._-]+$", description="Only tasks of this kind.", examples=["membership.rules"]
    ),
]


class ProgressView(BaseModel):
    """How far a task has come."""

    done: int = Field(description="Units of work that are done.", examples=[1200])
    total: int = Field(description="Units of work in all; 0 while their number is unknown.", examples=[5000])


class TaskView(BaseModel):
    """A task that waits, runs or has failed; one that is done is no more."""

    key: str = Field(description="The task's key.", examples=["rules/group-1"])
    kind: str = Field(description="The kind of work.", examples=["membership.rules"])
    due: datetime = Field(
        description="Moment the task is to run, or to be tried again.", examples=["2026-11-22T08:00:00Z"]
    )
    state: Literal["waiting", "failed"] = Field(
        description="waiting: for its time, or running; failed: given up until somebody retries it.",
        examples=["failed"],
    )
    is_running: bool = Field(description="Whether a process is working on the task.", examples=[False])
    attempts: int = Field(description="Number of failed attempts.", examples=[10])
    error: str = Field(description="The kind of error of the last attempt.", examples=["TimeoutError in call, sms.py"])
    progress: ProgressView | None = Field(description="Progress of the task; null if the kind reports none.")
    payload: dict[str, Any] = Field(description="The parameters of the work.", examples=[{"group_id": "group-1"}])
    scheduled_at: datetime = Field(description="Moment the task was scheduled.", examples=["2026-11-22T07:00:00Z"])
    failed_at: datetime | None = Field(
        description="Moment the task was given up; null unless it has failed.", examples=["2026-11-22T09:00:00Z"]
    )


@router.get("", summary="List tasks")
async def list_tasks(db: ReadDatabase, paging: Paging, state: State = None, kind: Kind = None) -> Page[TaskView]:
    """Those due first come first; failed ones stand at the time of their last attempt."""
    after = paging.after(datetime, str)
    place = (after[0], after[1]) if after else None
    found = await store.list_tasks(db, TaskFilter(state, kind), place, paging.limit + 1)  # type: ignore[arg-type]
    return paging.page(found, lambda record: (record.task.due, record.task.key), _view)


@router.get("/{key:path}", summary="Read a task")
async def read_task(db: ReadDatabase, key: TaskKey) -> TaskView:
    """A task that is done is not found any more."""
    record = await store.find_task(db, key)
    if record is None:
        raise TaskNotFoundError(key)
    return _view(record)


@router.post("/{key:path}/retry", summary="Retry a failed task", status_code=204, response_class=Response)
async def retry_failed(key: TaskKey, write: WriteOnce, who: Caller) -> Response:
    """It is due at once, and its attempts begin anew; an effect keeps its idempotency key."""

    async def use_case(work: Work) -> None:
        await retry_failed_task(work, key, who.id)

    return await write(use_case)


@router.delete("/{key:path}", summary="Cancel a task", status_code=204, response_class=Response)
async def cancel_scheduled(key: TaskKey, write: WriteOnce, who: Caller) -> Response:
    """Its work is not done, or not done again; what a running one has begun has no effect any more."""

    async def use_case(work: Work) -> None:
        await cancel_task_by_hand(work, key, who.id)

    return await write(use_case)


def _view(record: TaskRecord) -> TaskView:
    task = record.task
    progress = task.progress
    return TaskView(
        key=task.key,
        kind=task.kind,
        due=task.due,
        state="failed" if record.state == store.FAILED else "waiting",
        is_running=record.is_running,
        attempts=task.attempts,
        error=record.error,
        progress=ProgressView(done=progress.done, total=progress.total) if progress else None,
        payload=dict(task.payload),
        scheduled_at=record.scheduled_at,
        failed_at=record.failed_at,
    )

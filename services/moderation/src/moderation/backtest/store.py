"""Backtests in MongoDB: what is asked for and what came out. Who works on it and how far it is, its task says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from huiqun.store import Index, Reader
from huiqun.tasks.store import TaskRecord, find_tasks
from huiqun.work import Work
from moderation.backtest.model import Trial

BACKTESTS = "backtests"
#: The kind of the task that runs a backtest.
RUN = "backtests.run"
INDEXES: Mapping[str, Sequence[Index]] = {
    BACKTESTS: (
        Index((("policy_id", 1), ("version", 1), ("_id", -1))),
        Index((("requested_at", 1),), expires_after=timedelta(days=400)),
    )
}
OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """A backtest. `progress` of `total` messages are judged; `report` is there when the state is done."""

    id: str
    trial: Trial
    state: str
    progress: int
    total: int | None
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None = None
    error: str | None = None
    report: Mapping[str, Any] | None = None


async def request(work: Work, job: Job) -> None:
    """Let whoever has time for it run a backtest."""
    trial = job.trial
    document = {
        "_id": job.id,
        "policy_id": trial.policy_id,
        "version": trial.version,
        "since": trial.since,
        "until": trial.until,
        "groups": list(trial.groups),
        "limit": trial.limit,
        "state": job.state,
        "progress": 0,
        "total": None,
        "requested_by": job.requested_by,
        "requested_at": job.requested_at,
    }
    await work.collection(BACKTESTS).insert_one(document)


async def find(reader: Reader, job_id: str) -> Job | None:
    """The backtest of this id."""
    document = await reader.collection(BACKTESTS).find_one({"_id": job_id})
    return (await _with_progress(reader, [_job(document)]))[0] if document else None


async def page(reader: Reader, policy_id: str, version: int, before: str | None, limit: int) -> list[Job]:
    """The backtests of a version without their reports, newest first, before the given one."""
    query: dict[str, Any] = {"policy_id": policy_id, "version": version}
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = reader.collection(BACKTESTS).find(query, {"report": 0}).sort("_id", -1).limit(limit)
    return await _with_progress(reader, [_job(document) async for document in cursor])


async def cancel(work: Work, job_id: str) -> None:
    """End a backtest that has not ended."""
    change = {"$set": {"state": "cancelled", "finished_at": work.now}}
    await work.collection(BACKTESTS).update_one({"_id": job_id, "state": {"$in": OPEN}}, change)


async def finish(work: Work, job_id: str, report: Mapping[str, Any]) -> Job | None:
    """End a backtest with its report; None where it is no more."""
    count = report["messages"]
    done = {"state": "done", "report": report, "progress": count, "total": count, "error": None}
    change = {"$set": {**done, "finished_at": work.now}}
    after = await work.collection(BACKTESTS).find_one_and_update({"_id": job_id}, change)
    return _job(after) if after else None


async def fail(work: Work, job_id: str, error: str) -> None:
    """End a backtest that nobody can run."""
    change = {"$set": {"state": "failed", "error": error, "finished_at": work.now}}
    await work.collection(BACKTESTS).update_one({"_id": job_id}, change)


def task_key(job_id: str) -> str:
    """The key of the task that runs a backtest."""
    return f"backtest/{job_id}"


async def _with_progress(reader: Reader, jobs: Sequence[Job]) -> list[Job]:
    """The backtests, those that are being run with what their tasks say."""
    waiting = [task_key(job.id) for job in jobs if job.state == "waiting"]
    running = {each.task.key: each for each in await find_tasks(reader, waiting) if each.is_running}
    return [_as_running(job, running[task_key(job.id)]) if task_key(job.id) in running else job for job in jobs]


def _as_running(job: Job, record: TaskRecord) -> Job:
    progress = record.task.progress
    if progress is None:
        return replace(job, state="running")
    return replace(job, state="running", progress=progress.done, total=progress.total)


def _job(document: Mapping[str, Any]) -> Job:
    trial = Trial(
        document["policy_id"],
        document["version"],
        document["since"],
        document["until"],
        tuple(document["groups"]),
        document["limit"],
    )
    return Job(
        document["_id"],
        trial,
        document["state"],
        document["progress"],
        document["total"],
        document["requested_by"],
        document["requested_at"],
        document.get("finished_at"),
        document.get("error"),
        document.get("report"),
    )

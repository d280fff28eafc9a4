"""Ask for a backtest, see how it gets on, call it off."""

from dataclasses import replace

from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.work import Task, Work
from moderation.backtest import store
from moderation.backtest.model import Trial
from moderation.backtest.store import Job
from moderation.policies.handlers import POLICIES


class UnknownBacktestError(LookupError):
    """There is no such backtest of this version."""


class UnfitBacktestError(ValueError):
    """A backtest needs a period that begins before it ends."""


async def request_backtest(work: Work, trial: Trial, actor: str) -> Job:
    """Have a version tried by whoever has time for it. Raises UnknownPolicyError, UnfitBacktestError."""
    await POLICIES.get_version(work, trial.policy_id, trial.version)
    if trial.since >= trial.until:
        raise UnfitBacktestError(f"{trial.since.isoformat()} is not before {trial.until.isoformat()}")
    job = Job(new_id(), trial, "waiting", 0, None, actor, work.now)
    await store.request(work, job)
    work.schedule(Task(store.task_key(job.id), store.RUN, work.now, {"backtest_id": job.id}))
    return job


async def cancel_backtest(work: Work, policy_id: str, version: int, job_id: str) -> Job:
    """End a backtest; one that has ended stays as it is. Raises UnknownBacktestError."""
    job = await find_backtest(work, policy_id, version, job_id)
    if job.state not in store.OPEN:
        return job
    await store.cancel(work, job_id)
    work.cancel(store.task_key(job_id))
    return replace(job, state="cancelled", finished_at=work.now)


async def find_backtest(reader: Reader, policy_id: str, version: int, job_id: str) -> Job:
    """The backtest with its report, if it has come to its end. Raises UnknownBacktestError."""
    job = await store.find(reader, job_id)
    if job is None or (job.trial.policy_id, job.trial.version) != (policy_id, version):
        raise UnknownBacktestError(job_id)
    return job


async def list_backtests(reader: Reader, policy_id: str, version: int, before: str | None, limit: int) -> list[Job]:
    """The backtests of a version, newest first, before the given one. Raises UnknownPolicyError."""
    await POLICIES.get_version(reader, policy_id, version)
    return await store.page(reader, policy_id, version, before, limit)

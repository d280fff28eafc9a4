"""The task of a backtest: the trial is run outside of any transaction, and recorded with the task's end."""

import time
from collections.abc import Callable
from typing import Any, Final

from huiqun.store import Reader
from huiqun.tasks.model import Effect, TaskRun
from huiqun.work import Task, Work
from moderation.backtest import store
from moderation.backtest.handlers.running import run_trial
from moderation.policies.store import save_backtest_summary
from moderation.rulebook.model import Rulebook

_REPORT_SECONDS: Final = 1.0


def carry_out(reader: Reader, rulebook: Callable[[], Rulebook]) -> Effect:
    """Make the effect that runs a backtest by the lexicon in force; what a crash leaves behind is begun anew."""

    async def call(run: TaskRun) -> dict[str, Any] | None:
        job = await store.find(reader, run.task.payload["backtest_id"])
        return await run_trial(reader, rulebook(), job.trial, _reporting(run)) if job is not None else None

    return Effect(call, _record, _give_up)


def _reporting(run: TaskRun) -> Callable[[int, int], Any]:
    last = 0.0

    async def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _REPORT_SECONDS:
            last = time.monotonic()
            await run.report_progress(done, total)

    return report


async def _record(work: Work, task: Task, report: dict[str, Any] | None) -> None:
    if report is None:
        return
    job = await store.finish(work, task.payload["backtest_id"], report)
    if job is None:
        return
    figures = {name: report[name] for name in ("messages", "added", "lost", "changed")}
    summary = {"id": job.id, "finished_at": work.now, **figures}
    await save_backtest_summary(work, job.trial.policy_id, job.trial.version, summary)


async def _give_up(work: Work, task: Task, reason: str) -> None:
    await store.fail(work, task.payload["backtest_id"], reason)

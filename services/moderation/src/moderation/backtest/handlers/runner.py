"""Runs the backtests that were asked for: one at a time in this process, each by one process only."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from huiqun.runtime.clock import Clock
from huiqun.runtime.health import Heartbeat
from huiqun.runtime.ids import new_id
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Database
from huiqun.store import is_transient as store_is_away
from huiqun.telemetry import reason_of, traceback_of
from huiqun.work.retry import until_it_passes
from moderation.backtest import store
from moderation.backtest.handlers.running import TrialEndedError, run_trial
from moderation.backtest.store import Job
from moderation.policies.store import note_backtest
from moderation.rulebook.model import Rulebook

_log = structlog.get_logger(__name__)
_EVERY_SECONDS = 1.0
_LEASE = timedelta(seconds=20)
_MAX_ATTEMPTS = 3


class TooManyAttemptsError(Exception):
    """Whoever worked on it was gone before it was done, three times."""

    def __str__(self) -> str:
        return str(self.__doc__)


class BacktestRunner:
    """Leases a backtest and works on it. What a crash leaves behind is begun anew when the lease has run out."""

    name = "backtests"

    def __init__(self, database: Database, rulebook: Callable[[], Rulebook], clock: Clock) -> None:
        self.heartbeat = Heartbeat()
        self._database = database
        self._rulebook = rulebook
        self._clock = clock
        self._holder = new_id()

    async def run(self, stop: asyncio.Event) -> None:
        """Run backtests until `stop` is set; one that is not done by then is left to others."""

        async def turn() -> bool:
            return await self._turn(stop)

        while not stop.is_set():
            ran = await until_it_passes(turn, name=self.name, on_wait=self.heartbeat.failing)
            self.heartbeat.well()
            if not ran:
                await wait_for_stop(stop, _EVERY_SECONDS)

    async def _turn(self, stop: asyncio.Event) -> bool:
        """Run the backtest that was asked for first; False when there is none."""
        now = self._clock.now()
        job = await store.lease(self._database, now, now + _LEASE, self._holder)
        if job is None:
            return False
        try:
            report = await self._try(job, stop)
        except TrialEndedError:
            await store.release(self._database, job.id, self._holder)
        except Exception as error:
            if store_is_away(error):
                raise
            # An error's message may quote what somebody said.
            _log.error("backtest_failed", backtest=job.id, version=job.trial.label, where=traceback_of(error))
            what = str(error) if isinstance(error, TooManyAttemptsError) else reason_of(error)
            await self._finish(job, {"state": "failed", "error": what})
        else:
            await self._done(job, report)
        return True

    async def _try(self, job: Job, stop: asyncio.Event) -> dict[str, Any]:
        if job.attempts > _MAX_ATTEMPTS:
            raise TooManyAttemptsError
        return await run_trial(self._database, self._rulebook(), job.trial, self._progress(job, stop))

    def _progress(self, job: Job, stop: asyncio.Event) -> Callable[[int, int], Any]:
        last = 0.0

        async def note(done: int, total: int) -> bool:
            nonlocal last
            self.heartbeat.well()
            if stop.is_set():
                return False
            if time.monotonic() - last < _EVERY_SECONDS:
                return True
            last = time.monotonic()
            progress = {"progress": done, "total": total, "leased_until": self._clock.now() + _LEASE}
            return await store.advance(self._database, job.id, self._holder, progress)

        return note

    async def _done(self, job: Job, report: dict[str, Any]) -> None:
        count = report["messages"]
        if await self._finish(job, {"state": "done", "report": report, "progress": count, "total": count}):
            figures = {name: report[name] for name in ("messages", "added", "lost", "changed")}
            note = {"id": job.id, "finished_at": self._clock.now(), **figures}
            await note_backtest(self._database, job.trial.policy_id, job.trial.version, note)

    async def _finish(self, job: Job, outcome: dict[str, Any]) -> bool:
        finished = {**outcome, "finished_at": self._clock.now()}
        return await store.finish(self._database, job.id, self._holder, finished)

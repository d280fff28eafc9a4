"""Runs timers when they are due: each in a Work of its own, once, however many replicas there are."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta

import structlog

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.ids import new_id
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import StoreError, is_abort, is_transient
from huiqun.stream.dead_letters import reason_of, traceback_of
from huiqun.stream.retry import until_it_passes
from huiqun.stream.transactor import Transactor
from huiqun.stream.work import Work
from huiqun.telemetry import metrics
from huiqun.timers import store
from huiqun.timers.model import Timer, TimerHandler

_log = structlog.get_logger(__name__)

_EVERY = timedelta(seconds=0.5)
_LEASE = timedelta(seconds=60)
_RENEWALS = 3
_MAX_ATTEMPTS = 10


class TimerRunner:
    """Leases the timers that are due, oldest first, and gives each to the handler of its kind.

    A lease is renewed for as long as the handler runs; should the process die, somebody else runs it after `lease`.
    """

    name = "timers"

    def __init__(self, transactor: Transactor, handlers: Mapping[str, TimerHandler], lease: timedelta = _LEASE) -> None:
        self.heartbeat = Heartbeat()
        self._transactor = transactor
        self._handlers = handlers
        self._lease = lease
        self._holder = new_id()
        metrics.export_from_zero(metrics.TIMERS_RUN, kind=handlers, outcome=["done", "retried", "failed"])

    async def run(self, stop: asyncio.Event) -> None:
        """Run timers until `stop` is set."""
        while not stop.is_set():
            ran = await until_it_passes(self._turn, name=self.name, on_wait=self.heartbeat.failing)
            self.heartbeat.well()
            if not ran:
                await wait_for_stop(stop, _EVERY.total_seconds())

    async def _turn(self) -> bool:
        """Run the timer that has been due longest; False when none is due."""
        now = self._transactor.clock.now()
        timer = await store.lease(self._transactor.database, now, now + self._lease, self._holder)
        if timer is None:
            return False
        metrics.TIMER_DELAY.labels(kind=self._label(timer)).observe((now - timer.due).total_seconds())
        renewing = asyncio.create_task(self._renew(timer), name=f"{self.name} lease")
        try:
            await self._transactor.run(lambda work: self._fire(timer, work))
        except Exception as error:
            # One whose work the store ends again and again waits as any other that fails, and keeps nobody waiting.
            if is_transient(error) and not is_abort(error):
                raise
            await self._failed(timer, error)
        else:
            metrics.TIMERS_RUN.labels(kind=self._label(timer), outcome="done").inc()
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
        await store.release(self._transactor.database, timer, self._holder)
        return True

    async def _renew(self, timer: Timer) -> None:
        """Keep the lease until cancelled, or until it is lost."""
        held = True
        while held:
            await asyncio.sleep(self._lease.total_seconds() / _RENEWALS)
            with contextlib.suppress(StoreError):  # it is tried again before the lease runs out
                until = self._transactor.clock.now() + self._lease
                held = await store.renew(self._transactor.database, timer, until, self._holder)

    async def _fire(self, timer: Timer, work: Work) -> None:
        if await store.finish(work.db, work.session, timer, self._holder):
            await self._handlers[timer.kind](timer, work)

    async def _failed(self, timer: Timer, error: Exception) -> None:
        where, what = traceback_of(error), reason_of(error)
        _log.error("timer_failed", kind=timer.kind, key=timer.key, attempts=timer.attempts + 1, where=where)
        database = self._transactor.database
        if timer.attempts + 1 >= _MAX_ATTEMPTS:
            metrics.TIMERS_RUN.labels(kind=self._label(timer), outcome="failed").inc()
            await store.give_up(database, timer, what)
            return
        metrics.TIMERS_RUN.labels(kind=self._label(timer), outcome="retried").inc()
        wait = timedelta(seconds=min(2**timer.attempts, 600))
        await store.postpone(database, timer, self._transactor.clock.now() + wait, what)

    def _label(self, timer: Timer) -> str:
        """Its kind, if this release knows it; another one's timer may be of any kind."""
        return timer.kind if timer.kind in self._handlers else metrics.OTHER

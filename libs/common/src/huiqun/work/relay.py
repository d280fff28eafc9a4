"""The relay: finishes for processes that died. It publishes what they committed, and ends what they left open."""

import asyncio
from datetime import timedelta

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import AbandonedTransactions
from huiqun.telemetry import metrics
from huiqun.work import outbox, parked
from huiqun.work.retry import retry_forever
from huiqun.work.transactor import Transactor

_EVERY_SECONDS = 1.0
# A living process publishes within milliseconds; what stands this long was left behind, or its broker is away.
_LEFT_BEHIND = timedelta(seconds=10)


class Relay:
    """Looks once a second for outbox entries older than 10 s, and for transactions of processes that are gone."""

    name = "relay"

    def __init__(self, transactor: Transactor) -> None:
        self.heartbeat = Heartbeat()
        self._transactor = transactor
        self._abandoned = AbandonedTransactions(transactor.database)

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop` is set."""
        while not await wait_for_stop(stop, _EVERY_SECONDS):
            await retry_forever(self._turn, name=self.name, on_retry=self.heartbeat.mark_failing)
            self.heartbeat.mark_healthy()

    async def _turn(self) -> None:
        database = self._transactor.database
        await self._abandoned.abort_abandoned()
        while entries := await outbox.list_overdue_entries(database, self._transactor.clock.now() - _LEFT_BEHIND):
            await self._transactor.publish(entries)
            metrics.OUTBOX_RELAYED.inc(len(entries))
        metrics.OUTBOX_DEPTH.set(await outbox.count_outbox_entries(database))
        metrics.OUTBOX_PARKED_RECORDS.set(await parked.count_parked_records(database))

"""The guard of a consumer: which of its partitions are paused by a breaker, and which records are to be skipped."""

import asyncio
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from huiqun.runtime.clock import Clock
from huiqun.runtime.health import Heartbeat
from huiqun.runtime.waiting import wait_for_stop
from huiqun.store import Database, OutsideTransaction, StoreError
from huiqun.stream import controls
from huiqun.stream.batch import ReceivedEvent
from huiqun.stream.breaker import FailureWindow, PartitionBreaker, PartitionId
from huiqun.stream.skipping import SkipRule
from huiqun.telemetry import metrics

_log = structlog.get_logger(__name__)
_EVERY_SECONDS = 1.0


class PartitionGuard:
    """Opens a breaker when too much of a partition fails in our handlers, and closes it when a trial passes.

    What it decides holds in this process at once, and is kept in the database, from which it also reads, once a
    second, what other processes and operators have decided.
    """

    def __init__(
        self, consumer: str, database: Database, clock: Clock, heartbeat: Heartbeat, limits: tuple[float, float]
    ) -> None:
        """`limits` are the share of failures that opens a breaker, and the seconds between trials."""
        self._consumer, self._database, self._clock, self._heartbeat = consumer, database, clock, heartbeat
        self._share, self._trial_after = limits[0], timedelta(seconds=limits[1])
        self._windows: dict[PartitionId, FailureWindow] = {}
        self._open: dict[PartitionId, PartitionBreaker] = {}
        self._unsaved: set[PartitionId] = set()
        self._assigned: set[PartitionId] = set()
        self._rules: Sequence[SkipRule] = ()
        # Rises with each decision made here: what was read before it is out of date.
        self._decisions = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Keep in step with the database until `stop` is set."""
        while not await wait_for_stop(stop, _EVERY_SECONDS):
            try:
                await self.refresh()
            except StoreError as error:
                _log.debug("controls_not_read", consumer=self._consumer, error=type(error).__name__)

    async def refresh(self) -> None:
        """Read what has been decided elsewhere; raises StoreError."""
        before = self._decisions
        breakers = {each.place: each for each in await controls.list_breakers(OutsideTransaction(self._database))}
        self._rules = await controls.list_skip_rules(self._database)
        if before != self._decisions:
            return
        for place in self._open.keys() - breakers.keys() - self._unsaved:
            _log.warning("breaker_closed", consumer=self._consumer, partition=str(place), by="an operator")
            self._forget(place)
        self._open.update({place: each for place, each in breakers.items() if place not in self._unsaved})
        self._show()

    def set_assigned(self, places: Iterable[PartitionId]) -> None:
        """Note which partitions this process has now; what it knew of others may be out of date."""
        now = set(places)
        for place in self._assigned - now:
            self._windows.pop(place, None)
        self._assigned = now
        self._show()

    @property
    def has_open(self) -> bool:
        """Whether any partition is paused."""
        return bool(self._open)

    def is_open(self, place: PartitionId) -> bool:
        """Whether the partition is paused."""
        return place in self._open

    def is_trial_due(self, place: PartitionId) -> bool:
        """Whether one record of a paused partition may be tried."""
        breaker = self._open.get(place)
        return breaker is not None and self._clock.now() >= breaker.trial_at

    def note_handled(self, place: PartitionId, keys: Sequence[Hashable]) -> None:
        """Count records of a partition that their handlers took, by their keys."""
        self._window(place).note_handled(keys)

    def note_failed(self, place: PartitionId, key: Hashable, reason: str) -> None:
        """Count a record on which a handler failed; this may open the partition's breaker."""
        window = self._window(place)
        window.note_failed(key)
        if place in self._open or not window.is_exceeded:
            return
        now = self._clock.now()
        self._open[place] = PartitionBreaker(place, now, reason, window.failed, window.seen, now + self._trial_after)
        self._unsaved.add(place)
        self._decisions += 1
        self._show()
        _log.error(
            "breaker_opened",
            consumer=self._consumer,
            partition=str(place),
            failed=window.failed,
            of=window.seen,
            reason=reason,
        )

    @property
    def has_rules(self) -> bool:
        """Whether there is anything to be skipped."""
        return bool(self._rules)

    def matching_rule(self, item: ReceivedEvent, place: PartitionId) -> SkipRule | None:
        """The skip rule that covers an event, if there is one."""
        record, kind = item.record, item.event.type
        covering = (rule for rule in self._rules if rule.covers(str(place), record.offset, record.key, kind))
        return next(covering, None)

    async def save_opened(self) -> None:
        """Keep the breakers opened here, once the letters that tell of them are written; raises StoreError."""
        for place in tuple(self._unsaved):
            await controls.save_breaker(self._database, self._open[place])
            self._unsaved.discard(place)

    async def pass_trial(self, place: PartitionId) -> None:
        """Close a breaker: a record of its partition was handled. Raises StoreError; safe to repeat."""
        await controls.remove_breakers(OutsideTransaction(self._database), [place])
        if place in self._open:
            _log.warning("breaker_closed", consumer=self._consumer, partition=str(place), by="a trial that passed")
            self._forget(place)

    async def fail_trial(self, place: PartitionId) -> None:
        """Have the next record wait for its turn; raises StoreError, safe to repeat."""
        trial_at = self._clock.now() + self._trial_after
        await controls.postpone_trial(self._database, place, trial_at)
        breaker = self._open.get(place)
        if breaker is not None:
            self._open[place] = replace(breaker, trial_at=trial_at, trials=breaker.trials + 1)
            self._decisions += 1

    def _window(self, place: PartitionId) -> FailureWindow:
        if place not in self._windows:
            self._windows[place] = FailureWindow(self._share)
        return self._windows[place]

    def _forget(self, place: PartitionId) -> None:
        """The breaker is closed: what failed before is not counted again."""
        self._open.pop(place, None)
        self._unsaved.discard(place)
        self._windows.pop(place, None)
        self._decisions += 1
        self._show()

    def _show(self) -> None:
        """Say in readiness and metrics which of the partitions of this process are paused."""
        metrics.BREAKERS_OPEN.labels(consumer=self._consumer).set(len(self._open.keys() & self._assigned))
        paused = sorted(map(str, self._open.keys() & self._assigned))
        if paused:
            self._heartbeat.mark_unready("breaker", f"breaker open, handlers fail: {', '.join(paused)}")
        else:
            self._heartbeat.clear_unready("breaker")

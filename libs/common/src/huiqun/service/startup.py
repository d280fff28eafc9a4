"""What a process does before its work begins; it answers for its health meanwhile, even if its servers are away."""

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Sequence

import structlog

from huiqun.runtime.health import Heartbeat
from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.runtime.waiting import wait_for_stop
from huiqun.service.components import Component
from huiqun.store import StoreError
from huiqun.work.retry import retry_forever

StartupStep = Callable[[], Awaitable[object]]
_BEAT_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class StillStartingError(Exception):
    """The process has not begun its work yet: a step of its start waits for the store or the broker, or takes long."""


class Startup:
    """Takes the steps of a start, each again for as long as its server is away, and lets the other components begin.

    An error that does not pass by itself ends the process. Once a second while it takes them, `meanwhile` is called:
    what a step waits for may be what a process that was killed has left open.
    """

    name = "startup"

    def __init__(self, *steps: StartupStep, meanwhile: StartupStep | None = None) -> None:
        self.heartbeat = Heartbeat()
        self._steps = list(steps)
        self._meanwhile = meanwhile
        self._done = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Whether all steps have been taken."""
        return self._done.is_set()

    def add_step(self, step: StartupStep) -> None:
        """Take this step after those before."""
        self._steps.append(step)

    async def check_done(self) -> None:
        """Raise StillStartingError where the work has not begun."""
        if not self.is_done and self.heartbeat.advice is not None:
            raise MisconfigurationError(self.heartbeat.advice)
        if not self.is_done:
            raise StillStartingError(self.heartbeat.failure or "")

    async def run_steps(self) -> None:
        """Take all steps."""
        for step in self._steps:
            await retry_forever(step, name=self.name, on_retry=self.heartbeat.mark_failing)
        self.heartbeat.mark_healthy()
        self._done.set()
        _log.info("started", steps=len(self._steps))

    async def run(self, stop: asyncio.Event) -> None:
        """Take the steps, unless `stop` is set before, and go on until it is."""
        stopping = asyncio.create_task(stop.wait())
        completing = asyncio.create_task(self.run_steps())
        repeating = asyncio.create_task(self._repeat_meanwhile(stop))
        try:
            # A server that is away is no reason to start the process anew, so the heart beats while a step waits.
            while not (stopping.done() or completing.done()):
                self.heartbeat.beat()
                tasks = {stopping, completing}
                await asyncio.wait(tasks, timeout=_BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if completing.done():
                completing.result()
                repeating.cancel()
                gc.freeze()  # what has been loaded, the lexicon above all, lives on: no collection has to look at it
            await stopping
        finally:
            for task in (stopping, completing, repeating):
                task.cancel()
            await asyncio.gather(stopping, completing, repeating, return_exceptions=True)

    async def _repeat_meanwhile(self, stop: asyncio.Event) -> None:
        while self._meanwhile is not None and not await wait_for_stop(stop, _BEAT_SECONDS):
            with contextlib.suppress(StoreError):  # the step that it is for says so as well
                await self._meanwhile()

    def followed_by(self, components: Sequence[Component]) -> list[Component]:
        """Itself, and the others, which begin when it is done."""
        return [self, *(_AfterStartup(component, self) for component in components)]

    async def wait_until_done(self, stop: asyncio.Event) -> bool:
        """Wait until the steps have been taken; False when `stop` is set before."""
        waiting = [asyncio.create_task(event.wait()) for event in (self._done, stop)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        return not stop.is_set()


class _AfterStartup:
    """A component that begins when the process has started."""

    def __init__(self, component: Component, startup: Startup) -> None:
        self.name = component.name
        self.heartbeat = component.heartbeat
        self._component = component
        self._startup = startup

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for the start, and run the component."""
        if await self._startup.wait_until_done(stop):
            self.heartbeat.beat()
            await self._component.run(stop)

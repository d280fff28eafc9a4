"""Runs the components of a process side by side and stops them cleanly."""

import asyncio
import contextlib
import signal
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import structlog

from huiqun.runtime.health import Heartbeat

_log = structlog.get_logger(__name__)

# Ten seconds in all: after these, a consumer takes up to 1.5 s to leave its group and the publisher 2 s to close.
_GRACE_SECONDS = 5.0
# For a component that waits for a server that is away: it would wait in vain, and nothing is lost.
_UNWELL_SECONDS = 2.0
_CANCEL_SECONDS = 3.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Component(Protocol):
    """Something that runs until it is told to stop: a consumer, the tasks, the API."""

    name: str

    @property
    def heartbeat(self) -> Heartbeat:
        """Whether it is alive and getting on."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set."""


class ComponentEndedError(RuntimeError):
    """A component returned although nobody had told it to."""


async def run_components(components: Sequence[Component], stop: asyncio.Event) -> None:
    """Run them until SIGTERM, SIGINT, `stop`, or the first failure; raise that failure when all have stopped.

    A component that has not finished within 5 s of being told is cancelled; one that is not well, within 2 s.
    """
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    tasks = {asyncio.create_task(component.run(stop), name=component.name): component for component in components}
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        first, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        asked = stopping in first
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=_UNWELL_SECONDS)
        _cancel(task for task in late if tasks[task].heartbeat.failure is not None)
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS - _UNWELL_SECONDS)
        while late:
            _cancel(late)  # once more where what a component closes takes too long
            _, late = await asyncio.wait(late, timeout=_CANCEL_SECONDS)
        await asyncio.gather(*tasks, return_exceptions=True)  # their errors are looked at below
    finally:
        stopping.cancel()
        _let_signals_go(loop)
    # What fails while the others stop is often but a consequence of the first failure.
    for task in sorted(tasks, key=lambda task: task not in first):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    if not asked:
        raise ComponentEndedError(", ".join(task.get_name() for task in tasks if task in first))


@contextlib.contextmanager
def ignoring_stop_signals() -> Iterator[None]:
    """Ignore further requests to stop: the process ends already, and what it closes is to be closed."""
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, lambda: None)
    try:
        yield
    finally:
        _let_signals_go(loop)


def ignore_stop_signals() -> None:
    """Let nothing but SIGKILL cut short the last steps of the process."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _let_signals_go(loop: asyncio.AbstractEventLoop) -> None:
    for number in _STOP_SIGNALS:
        with contextlib.suppress(RuntimeError):
            loop.remove_signal_handler(number)


def _cancel(late: Iterable[asyncio.Task[None]]) -> None:
    for task in late:
        _log.warning("part_cancelled", part=task.get_name())
        task.cancel()

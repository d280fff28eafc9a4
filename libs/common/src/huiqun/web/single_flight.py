"""What many ask for at the same time is worked out once, and all get the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs `work` for whoever asks, but never twice at the same time."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._flight: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Return what the run gives that is under way, or a new one. Who stops waiting does not stop the others."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.ensure_future(self._run())
        return await asyncio.shield(self._flight)

    async def _run(self) -> T:
        return await self._work()

"""Time slices: work of the processor shares the event loop with whoever waits for it."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

_SLICE_SECONDS: Final = 0.02


class TimeSlice:
    """How long a task has held the event loop; after 20 ms it is another's turn."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    @property
    def is_spent(self) -> bool:
        """Whether this task has run for long enough."""
        return time.monotonic() - self._since >= _SLICE_SECONDS

    async def yield_to_loop(self) -> None:
        """Let other tasks run; then this one's time begins anew."""
        await asyncio.sleep(0)
        self._since = time.monotonic()


async def run_in_slices(steps: Iterable[object]) -> None:
    """Go through the steps of a piece of work; each time that a slice is spent, other tasks have their turn."""
    time_slice = TimeSlice()
    for _ in steps:
        if time_slice.is_spent:
            await time_slice.yield_to_loop()

"""Time slices: work of the processor shares the event loop with whoever waits for it."""

import asyncio
import time
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

"""Giving others their turn: work of the processor shares the event loop with whoever waits."""

import asyncio
import time
from typing import Final

_HOLD_SECONDS: Final = 0.02


class Turn:
    """How long a task has held the event loop; it lets others pass after 20 ms."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    async def give_way(self) -> None:
        """Let other tasks run, if this one has run for long enough."""
        if time.monotonic() - self._since >= _HOLD_SECONDS:
            await asyncio.sleep(0)
            self._since = time.monotonic()

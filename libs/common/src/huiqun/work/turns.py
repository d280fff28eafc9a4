"""Takes turns: one unit of work after the other where those of a process would only conflict with each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from huiqun.store import WriteConflictError

# A turn is what remains of a transaction from the audit entry on: a few milliseconds.
_LONGEST_WAIT_SECONDS: Final = 10.0


class TransactionTurns:
    """The turns of one process; who waits is served in order."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def queue_for_turn(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Something that takes the turn, once however often it is called; the turn ends with the context.

        Raises WriteConflictError when it has waited 10 s.
        """
        held = False

        async def take() -> None:
            nonlocal held
            if held:
                return
            try:
                async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                    await self._lock.acquire()
            except TimeoutError:
                raise WriteConflictError("no turn within 10 s") from None
            held = True

        try:
            yield take
        finally:
            if held:
                self._lock.release()

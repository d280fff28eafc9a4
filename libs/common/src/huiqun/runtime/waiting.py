"""Waiting that ends at once when the process is asked to stop, or that nobody else's cancellation ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_UNWIND_SECONDS = 1.0


async def wait_for_stop(stop: asyncio.Event, seconds: float) -> bool:
    """Wait until `stop` is set or `seconds` have passed; True when it was set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def run_in_own_task(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Return what `work` does within `seconds`; TimeoutError if it takes longer, or is cancelled by others than us.

    A client that closes cancels what waits for its answers: in our own task that would be taken for our end.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done() and not task.cancelled():
            return task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=_UNWIND_SECONDS)
        raise TimeoutError
    finally:
        task.cancel()

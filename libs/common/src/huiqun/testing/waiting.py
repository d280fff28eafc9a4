"""Waits for a condition, and runs a part of a process meanwhile."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from huiqun.service.components import Component

Condition = Callable[[], Awaitable[bool] | bool]
_LOOK_SECONDS: Final = 0.02
_STOP_SECONDS: Final = 15


async def eventually(condition: Condition, seconds: float = 60) -> None:
    """Wait until the condition holds; AssertionError with its source if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not await _holds(condition):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not so after {seconds:g} s: {_source_of(condition)}")
        await asyncio.sleep(_LOOK_SECONDS)


def _source_of(condition: Condition) -> str:
    return repr(condition) if isinstance(condition, partial) else inspect.getsource(condition).strip()


async def _holds(condition: Condition) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer


@asynccontextmanager
async def running_component(part: Component) -> AsyncIterator[asyncio.Task[None]]:
    """Run a part as long as the context lasts, then stop it in time; raises what it failed with."""
    stop = asyncio.Event()
    task = asyncio.create_task(part.run(stop), name=part.name)
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(_STOP_SECONDS):
            await task

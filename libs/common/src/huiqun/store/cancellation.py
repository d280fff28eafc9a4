"""Cancellation that the driver keeps: on Python 3.11 as on later ones.

PyMongo waits by `asyncio.wait_for`, which before Python 3.12 has the coroutine run as a task of its own. A cancellation
that comes together with the result is lost. And who is cancelled a second time leaves that task behind: one that waited
for a server takes the client's lock afterwards, gives it back to nobody, and cannot be cancelled, so that every other
operation waits for ever, and the event loop cannot close.
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

T = TypeVar("T")


def backport_wait_for() -> None:
    """Have `asyncio.wait_for` wait in the task of its caller, as it does from Python 3.12 on; safe to repeat."""
    if sys.version_info < (3, 12):
        asyncio.wait_for = _wait_for  # type: ignore[assignment] # noqa: TID251 - it is put right here
        pymongo.lock.wait_for = _wait_for  # type: ignore[assignment, attr-defined] # imported by its name


async def _wait_for(fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - the signature that it has
    async with asyncio.timeout(timeout):
        return await fut

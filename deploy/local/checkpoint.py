"""Where a command that somebody has interrupted ends, should it not have noticed yet."""

import asyncio

from local.interrupts import interrupted


def checkpoint() -> None:
    """Raise CancelledError if the process has been asked to end.

    `asyncio.wait_for` of Python 3.11, by which the driver connects, loses a cancellation that comes together with what
    it waits for.
    """
    if interrupted():
        raise asyncio.CancelledError

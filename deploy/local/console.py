"""The terminal: what is shown while something runs, how it is interrupted, how it fails."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.text import Text

from huiqun.cli.terminal import printable
from local.errors import ServerUnavailableError
from local.services import ServiceEndedError
from local.settling import NotThroughError

INTERRUPTED = 130
WIDTH_OF_A_FILE = 120


def run_to_the_end(main: Callable[[Console], Awaitable[int]]) -> int:
    """Run a command and return its exit code; Ctrl-C and SIGTERM end it in order, known failures are explained."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it retries is no news on a terminal
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    try:
        return asyncio.run(_interruptible(main, console))
    except (ServerUnavailableError, ServiceEndedError, NotThroughError) as error:
        console.print(Text("✗ ", "bold red") + printable(str(error)), soft_wrap=True)
        return 1


async def _interruptible(main: Callable[[Console], Awaitable[int]], console: Console) -> int:
    task = asyncio.ensure_future(main(console))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        console.print("Stopped.")
        return INTERRUPTED

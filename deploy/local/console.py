"""The terminal: what is shown while something runs, how it is interrupted, how it fails."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from rich.console import Console

from local.errors import ServerUnavailableError
from local.services import ServiceEndedError
from local.settling import NotThroughError

INTERRUPTED = 130
WIDTH_OF_A_FILE = 120


def run_to_the_end(main: Callable[[Console], Awaitable[int]]) -> int:
    """Run a command and return its exit code; Ctrl-C and SIGTERM end it in order, known failures are explained."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    try:
        return asyncio.run(_interruptible(main, console))
    except (ServerUnavailableError, ServiceEndedError, NotThroughError) as error:
        console.print(f"[bold red]✗[/] {type(error).__name__.removesuffix('Error')}:", str(error), markup=True)
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

"""The terminal: what is shown while something runs, how it is interrupted, how it fails."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from rich.console import Console
from rich.text import Text

from huiqun.cli.terminal import printable_text
from local import interrupts
from local.directories import UnusableDirectoryError
from local.errors import ServerUnavailableError
from local.parent_death import signal_on_parent_death
from local.services import ServiceEndedError
from local.settling import NotSettledError

WIDTH_OF_A_FILE = 120


def run_to_the_end(main: Callable[[Console], Awaitable[int]]) -> int:
    """Run a command and return its exit code; Ctrl-C and SIGTERM end it in order, known failures are explained.

    Whatever else goes wrong while it stops because somebody asked for it is no news to them.
    """
    interrupts.install_handlers()
    if "MAKELEVEL" in os.environ:  # started by make: there is nobody to stop it once make has been killed
        signal_on_parent_death(signal.SIGTERM)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it retries is no news on a terminal
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    code = interrupts.INTERRUPTED
    failure: Exception | None = None
    try:
        code = asyncio.run(_interruptible(main, console))
    except UnusableDirectoryError as error:
        code, failure = 2, error
    except (ServerUnavailableError, ServiceEndedError, NotSettledError) as error:
        code, failure = 1, error
    except BaseException:
        if not interrupts.is_interrupted():
            raise
    if interrupts.is_interrupted():
        console.print("Stopped.")
        return interrupts.INTERRUPTED if failure is not None else code
    if failure is not None:
        console.print(Text("✗ ", "bold red") + printable_text(str(failure)), soft_wrap=True)
    return code


async def _interruptible(main: Callable[[Console], Awaitable[int]], console: Console) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main(console))
    loop.set_exception_handler(_report)
    interrupts.on_interrupt(partial(loop.call_soon_threadsafe, task.cancel))
    return await task


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what nobody waited for, unless all of it is being cut short."""
    if not interrupts.is_interrupted():
        loop.default_exception_handler(context)

"""Ctrl-C and its like: the first asks for an end in order, another one ends at once, and none shows a traceback.

This module imports next to nothing: it is there before anything that takes time.
"""

import atexit
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h"


class _Interrupts:
    """What has been asked for so far, and who is to be told of the first time."""

    def __init__(self) -> None:
        self.times = 0
        self.listener: Callable[[], object] | None = None

    def hear(self, *_: object) -> None:
        """Pass the first one on; end the process where nobody listens, or again after that."""
        self.times += 1
        if self.times > 1 or self.listener is None:
            end_at_once()
        else:
            self.listener()


_interrupts = _Interrupts()


def install_handlers() -> None:
    """Take the signals that ask a process to end; doing so again changes nothing."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupts.hear)
    # Python's last steps put the kernel's own handling back, which would end the process by the signal.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _interrupts.hear)


def on_interrupt(listener: Callable[[], object]) -> None:
    """Call `listener`, in the main thread and between two of its instructions, at the first interrupt."""
    _interrupts.listener = listener


def is_interrupted() -> bool:
    """Whether the process has been asked to end."""
    return _interrupts.times > 0


def end_at_once() -> None:
    """Say so and end. The kernel ends the children (see `leash`), and the next start removes what they leave."""
    with suppress(OSError, ValueError):  # the terminal may be gone
        os.write(1, (_SHOW_CURSOR if sys.stdout.isatty() else b"") + b"Stopped.\n")
    os._exit(INTERRUPTED)

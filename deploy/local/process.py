"""One server process: started on a leash, watched until it answers, stopped or killed by its process id."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from local import parent_death
from local.errors import ServerFailedError

POLL_SECONDS = 0.02


class ServerProcess:
    """A command that runs as a child and writes its output to a log; it may be started again after it ended."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment or {}
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None before that."""
        return self._child.poll() if self._child is not None else None

    @property
    def pid(self) -> int:
        if self._child is None:
            msg = f"{self.name} has not been started"
            raise RuntimeError(msg)
        return self._child.pid

    def spawn(self) -> None:
        """Start the command. Call it from a thread that lives on: the kernel ends the child with that thread."""
        command = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *self._command]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment},
                start_new_session=True,  # Ctrl-C reaches the parent only, which stops its servers in order
            )

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until `ready` is true; raise ServerFailedError if the process ends or the time is over before."""
        deadline = time.monotonic() + seconds
        while not await ready():
            if not self.running:
                code = self._child.returncode if self._child else "unknown"
                raise ServerFailedError(self.name, f"ended with exit code {code} while starting", self.log)
            if time.monotonic() > deadline:
                raise ServerFailedError(self.name, f"was not ready after {seconds:g} s", self.log)
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self, seconds: float = 15) -> None:
        """Ask the process to end, and kill it if it has not after the given time."""
        if not self.running:
            return
        self.send_signal(signal.SIGTERM)
        if not await self._ended(seconds):
            await self.kill()

    async def kill(self) -> None:
        """End the process at once, as a power cut would."""
        if self.running:
            self.send_signal(signal.SIGKILL)
            await self._ended(seconds=10)

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process any signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        if self._child is not None:
            self._child.send_signal(number)

    async def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:  # noqa: ASYNC110 (a process sets no event)
            await asyncio.sleep(POLL_SECONDS)
        return not self.running

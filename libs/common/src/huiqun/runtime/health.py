"""Whether the loops of a process are alive and getting on."""

import time
from typing import ClassVar

from huiqun.runtime.misconfiguration import MisconfigurationError


class Heartbeat:
    """A loop beats once a turn; while it waits for a store or broker to come back it beats, but is not well."""

    #: How long a loop of this process may take for a turn; set once, when the process starts.
    stuck_seconds: ClassVar[float] = 120.0

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._failure: str | None = None

    def beat(self) -> None:
        """Note that the loop is going round."""
        self._last = time.monotonic()

    def failing(self, error: BaseException) -> None:
        """Note that the loop is trying again after `error`."""
        self.beat()
        # Other errors' messages may quote a person's data.
        self._failure = str(error) if isinstance(error, MisconfigurationError) else type(error).__name__

    def well(self) -> None:
        """Note that the last turn succeeded."""
        self.beat()
        self._failure = None

    @property
    def is_alive(self) -> bool:
        """Whether the loop has gone round lately."""
        return time.monotonic() - self._last < self.stuck_seconds

    @property
    def failure(self) -> str | None:
        """Why the loop is not getting on; None when it is."""
        return self._failure

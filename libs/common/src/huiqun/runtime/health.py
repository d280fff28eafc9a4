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
        self._advice: str | None = None
        self._unready: dict[str, str] = {}

    def beat(self) -> None:
        """Note that the loop is going round."""
        self._last = time.monotonic()

    def mark_failing(self, error: BaseException) -> None:
        """Note that the loop is trying again after `error`."""
        self.beat()
        # Other errors' messages may quote a person's data.
        self._advice = str(error) if isinstance(error, MisconfigurationError) else None
        self._failure = self._advice or type(error).__name__

    def mark_healthy(self) -> None:
        """Note that the last turn succeeded."""
        self.beat()
        self._failure = self._advice = None

    def mark_unready(self, cause: str, reason: str) -> None:
        """Note that something does not get on until it is cleared, whatever else succeeds meanwhile."""
        self._unready[cause] = reason

    def clear_unready(self, cause: str) -> None:
        """Note that a cause is gone, if it was there."""
        self._unready.pop(cause, None)

    @property
    def is_alive(self) -> bool:
        """Whether the loop has gone round lately."""
        return time.monotonic() - self._last < self.stuck_seconds

    @property
    def failure(self) -> str | None:
        """The error that the loop is trying again after; None when there is none."""
        return self._failure

    @property
    def advice(self) -> str | None:
        """What an operator has to mend so that the loop gets on; None where it is nothing of the kind."""
        return self._advice

    @property
    def unready_reason(self) -> str | None:
        """What does not get on, in words that anybody may read; None when nothing is marked so."""
        return "; ".join(self._unready.values()) or None


class CombinedHeartbeat(Heartbeat):
    """The heartbeat of a part that is made of several loops: alive while each of them is."""

    def __init__(self) -> None:
        super().__init__()
        self._loops: list[Heartbeat] = []

    def include(self, loop: Heartbeat) -> None:
        """Take in the heartbeat of one of the loops."""
        self._loops.append(loop)

    def beat(self) -> None:
        """Note that every loop is going round."""
        for loop in self._loops:
            loop.beat()

    def mark_failing(self, error: BaseException) -> None:
        """Note that all wait for the same thing."""
        for loop in self._loops:
            loop.mark_failing(error)

    def mark_healthy(self) -> None:
        """Note that all get on."""
        for loop in self._loops:
            loop.mark_healthy()

    @property
    def is_alive(self) -> bool:
        """Whether every loop has gone round lately."""
        return all(loop.is_alive for loop in self._loops)

    @property
    def failure(self) -> str | None:
        """The error of the first loop that is trying again."""
        return next((loop.failure for loop in self._loops if loop.failure is not None), None)

    @property
    def advice(self) -> str | None:
        """What has to be mended for the first loop that needs it."""
        return next((loop.advice for loop in self._loops if loop.advice is not None), None)

    @property
    def unready_reason(self) -> str | None:
        """What does not get on, of the part as a whole or of any of the loops."""
        reasons = [*self._unready.values(), *(loop.unready_reason for loop in self._loops if loop.unready_reason)]
        return "; ".join(dict.fromkeys(reasons)) or None

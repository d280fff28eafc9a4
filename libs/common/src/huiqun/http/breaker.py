"""A circuit breaker: where another system fails again and again, it is left alone for a while."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Open after `threshold` failures in a row; after `recovery_seconds` one call is let through to try.

    For one event loop; a process of its own counts for itself.
    """

    def __init__(
        self, threshold: int = 5, recovery_seconds: float = 30.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._recovery_seconds = recovery_seconds
        self._monotonic = monotonic
        self._failures = 0
        self._closed_from = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now, but for the one that tries."""
        return self._failures >= self._threshold

    def seconds_until_trial(self) -> float:
        """How long to wait before a call may be made; 0 where one may be made now."""
        return max(self._closed_from - self._monotonic(), 0.0) if self.is_open else 0.0

    def try_acquire(self) -> bool:
        """Ask to make a call. Of several that ask an open breaker, one gets through each `recovery_seconds`."""
        if not self.is_open:
            return True
        if self.seconds_until_trial() > 0:
            return False
        self._closed_from = self._monotonic() + self._recovery_seconds
        return True

    def record_success(self) -> None:
        """Note that the other system answered; the breaker closes."""
        self._failures = 0

    def record_failure(self) -> None:
        """Note that it did not; from the threshold on, the breaker is open."""
        self._failures += 1
        if self.is_open:
            self._closed_from = self._monotonic() + self._recovery_seconds

"""A circuit breaker for each partition: opens when our own handlers fail on too much of it."""

from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

# So many records of a partition are looked at, and so many failures are a few that may happen.
_WINDOW = 100
_LEAST = 20


class PartitionId(NamedTuple):
    """A partition of a topic, by the topic's name without a prefix."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True)
class PartitionBreaker:
    """An open breaker: its partition is paused, but for one record that is tried when `trial_at` has come.

    `failed` of the last `seen` records failed in a handler; `reason` is the kind of the last error and where it was.
    """

    place: PartitionId
    since: datetime
    reason: str
    failed: int
    seen: int
    trial_at: datetime
    trials: int = 0


class FailureWindow:
    """Which of the last records of a partition failed in their handler.

    Keys weigh the same, however many records they have: who floods one group with what makes a handler fail does not
    stop the others.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._recent: deque[tuple[Hashable, bool]] = deque(maxlen=_WINDOW)

    def note_handled(self, keys: Sequence[Hashable]) -> None:
        """Count records that were handled, by their keys."""
        self._recent.extend([(key, False) for key in keys[-_WINDOW:]])

    def note_failed(self, key: Hashable) -> None:
        """Count a record on which its handler failed."""
        self._recent.append((key, True))

    @property
    def seen(self) -> int:
        """How many records it remembers."""
        return len(self._recent)

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(failed for _, failed in self._recent)

    @property
    def is_exceeded(self) -> bool:
        """Whether more than the share has failed, and more than a few."""
        if self.failed < _LEAST:
            return False
        seen = Counter(key for key, _ in self._recent)
        failed = Counter(key for key, has_failed in self._recent if has_failed)
        return sum(failed[key] / count for key, count in seen.items()) > self._share * len(seen)

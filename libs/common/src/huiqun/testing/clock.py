"""A clock that a test sets."""

from dataclasses import dataclass, field
from datetime import datetime

from huiqun.runtime.clock import SystemClock


@dataclass
class ManualClock:
    """Stands still until it is set; begins at the present."""

    moment: datetime = field(default_factory=SystemClock().now)

    def now(self) -> datetime:
        """The moment to which it was set."""
        return self.moment

"""A clock that tests set."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from huiqun.runtime.clock import whole_milliseconds


@dataclass
class SetClock:
    """Stands still until it is set."""

    moment: datetime = field(default_factory=lambda: whole_milliseconds(datetime.now(UTC)))

    def now(self) -> datetime:
        return self.moment

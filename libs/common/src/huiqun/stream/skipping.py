"""Skip rules: what an operator has a consumer set aside as dead letters instead of handling it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SkipRule:
    """Records of these partitions and offsets, of one type of event or one key where that is given.

    `ends` are the offsets, by partition ("topic/number"), before which a record is set aside; `starts` those from
    which on, 0 where it says nothing. What comes after them is handled.
    """

    id: str
    actor: str
    at: datetime
    ends: Mapping[str, int]
    starts: Mapping[str, int] = field(default_factory=dict)
    event_type: str | None = None
    key: bytes | None = None

    def covers(self, partition: str, offset: int, key: bytes | None, event_type: str) -> bool:
        """Whether a record is to be set aside."""
        if not self.starts.get(partition, 0) <= offset < self.ends.get(partition, 0):
            return False
        return (self.key is None or self.key == key) and (self.event_type is None or self.event_type == event_type)

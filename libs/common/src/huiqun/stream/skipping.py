"""Skip rules: what an operator has a consumer set aside as dead letters instead of handling it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SkipRule:
    """Records of these partitions and offsets, of one type of event or one key where that is given.

    `ends` are the offsets, by partition ("topic/number"), before which a record is set aside; `starts` those from
    which on, 0 where it says nothing. What comes after the ends is handled again, or from `until` on where that is
    later.
    """

    id: str
    actor: str
    at: datetime
    ends: Mapping[str, int]
    starts: Mapping[str, int] = field(default_factory=dict)
    event_type: str | None = None
    key: bytes | None = None
    until: datetime | None = None

    def covers(self, partition: str, offset: int, key: bytes | None, event_type: str | None, now: datetime) -> bool:
        """Whether a record is to be set aside; `event_type` is None where it does not decode."""
        if partition not in self.ends or offset < self.starts.get(partition, 0):
            return False
        if offset >= self.ends[partition] and (self.until is None or now >= self.until):
            return False
        return (self.key is None or self.key == key) and (self.event_type is None or self.event_type == event_type)

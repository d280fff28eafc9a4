"""Delegations: who may act in an emergency, for which groups and until when. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: Authority for an emergency, not for good.
MAX_DELEGATION_PERIOD: Final = timedelta(days=31)


class DelegatedRight(StrEnum):
    """What can be delegated."""

    HANDLE_INCIDENTS = "handle_incidents"
    SET_MODES = "set_modes"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A principal's rights in some groups until a moment."""

    id: str
    principal_id: str
    rights: frozenset[DelegatedRight]
    groups: tuple[str, ...]
    until: datetime
    reason: str
    granted_by: str
    granted_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether it still gives anything."""
        return self.revoked_at is None and now < self.until

    def gives_right(self, right: DelegatedRight, group_id: str, now: datetime) -> bool:
        """Whether it gives this right in this group now."""
        return self.is_live(now) and right in self.rights and group_id in self.groups


def delegations_give_right(
    delegations: Sequence[Delegation], right: DelegatedRight, groups: Iterable[str], now: datetime
) -> bool:
    """Whether the delegations together give the right in every one of the groups."""
    return all(any(each.gives_right(right, group_id, now) for each in delegations) for group_id in groups)

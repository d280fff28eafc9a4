"""How long messages are kept: whole days, counted from when they were archived."""

from datetime import datetime, timedelta


def first_day_without(archived_at: datetime, days: int) -> datetime:
    """The midnight, in UTC, at which a message is no longer kept; by then it has been for `days` whole days.

    It is counted from the archive's own clock: a sender's, which may be years off, decides on nothing.
    """
    last = archived_at + timedelta(days=days)
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

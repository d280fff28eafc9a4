"""Days as people in the groups count them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

TIMEZONE = ZoneInfo("Asia/Shanghai")


def last_full_day(now: datetime) -> date:
    """The last day that is over in the groups' time zone: nothing that is played lies in the future."""
    return now.astimezone(TIMEZONE).date() - timedelta(days=1)

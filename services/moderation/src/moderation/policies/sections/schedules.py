"""Schedules that an operator writes: cron expressions in the time zone of the group."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, StringConstraints

_CRON_FIELDS = 5
_LEAST_GAP = timedelta(hours=1)
_LOOKED_AT = 50
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def find_next_occurrence(schedule: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Find when a cron expression, read in `zone`, is due next after `after`, in UTC; None if never again."""
    return next(_iterate_occurrences(schedule, after.astimezone(zone)), None)


def _iterate_occurrences(schedule: str, start: datetime) -> Iterator[datetime]:
    return (moment.astimezone(UTC) for moment in CronSim(schedule, start))


def _check_schedule(schedule: str) -> str:
    if len(schedule.split()) != _CRON_FIELDS:
        raise ValueError("a schedule has five fields: minute, hour, day of the month, month, day of the week")
    try:
        due = list(islice(_iterate_occurrences(schedule, _SOME_DAY), _LOOKED_AT))
    except CronSimError as error:
        raise ValueError(f"not a cron expression: {error}") from error
    if not due:
        raise ValueError("a day on which it is due never comes")
    if any(later - earlier < _LEAST_GAP for earlier, later in pairwise(due)):
        raise ValueError("it is due more than once an hour, which members would take for spam")
    return schedule


Schedule = Annotated[str, StringConstraints(max_length=100), AfterValidator(_check_schedule)]

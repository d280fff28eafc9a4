"""Working time: windows of the day, business hours, holidays, and rules that say when something is due again.

What is entered is local (a time of day, a date, a rule) and read in a time zone; what comes out is UTC, so that lengths
are true on the days on which clocks are changed. A local time that the change skips is the moment at which it is over.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from dateutil.rrule import rrule, rrulestr

_MIDNIGHT = time(0)
_SEARCHED_DAYS = 370
_DAY = timedelta(days=1)
_RULE_CHARACTERS = 500
_FREQUENT = frozenset({"HOURLY", "DAILY"})
_FREQUENT_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND"}
)


class NoWorkingTimeError(ValueError):
    """There is not enough working time within a year: every day is closed, or the business hours are empty."""


class InvalidRecurrenceError(ValueError):
    """The text is no RRULE of RFC 5545 that can be followed; the message says why."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From `start` up to `end`, which may lie on the next day (22:30 to 07:30); where both are equal, a whole day."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("a time of day has no time zone of its own")

    @property
    def length(self) -> timedelta:
        """How long the window is by the clock on the wall."""
        opens, closes = (datetime.combine(date.min, each) for each in (self.start, self.end))
        return closes - opens if opens < closes else closes - opens + _DAY

    def covers(self, moment: time) -> bool:
        """Whether a time of day lies in the window."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    def span_on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Beginning and end, in UTC, of the window that opens on `day`."""
        last = day if self.start < self.end else day + _DAY
        return local_to_utc(day, self.start, zone), local_to_utc(last, self.end, zone)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """The windows of each weekday: keys 0 (Monday) to 6; a day without an entry is closed.

    `on_working_weekends` are the windows of a Saturday or Sunday that the state, or the operator, makes a working day.
    """

    windows: Mapping[int, tuple[TimeWindow, ...]]
    on_working_weekends: tuple[TimeWindow, ...] = ()

    @classmethod
    def on_weekdays(cls, *windows: TimeWindow) -> "BusinessHours":
        """The same windows from Monday to Friday, and on weekends that are worked."""
        return cls(dict.fromkeys(range(5), windows), windows)


@cache
def _official_days(country: str, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(country, years=year)


def is_official_calendar_known(country: str, year: int) -> bool:
    """Whether the working weekends of `year` have been published, where the state publishes such (China does).

    Before that, holidays are those the law fixes and no weekend is worked: an operator enters the days by hand.
    """
    official = _official_days(country, year)
    if not official.weekend_workdays:
        return True
    return any(day.year == year and day.month > 1 for day in official.weekend_workdays)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Business hours in a time zone, without the country's holidays and with its working weekends.

    `country` is an ISO code that `holidays` knows, or None for a calendar without holidays. `own_days` are an
    operator's own, and win over all else: True makes a date a working day, False closes it.
    """

    hours: BusinessHours
    zone: ZoneInfo
    country: str | None = "CN"
    own_days: Mapping[date, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Whether there is work on `day`."""
        if day in self.own_days:
            return self.own_days[day]
        if self.country is not None:
            official = _official_days(self.country, day.year)
            if day in official.weekend_workdays:
                return True
            if day in official:
                return False
        return bool(self.hours.windows.get(day.weekday()))

    def working_spans(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans of working time that end after `after`, in UTC and in order, of a year; overlaps are joined."""
        first = after.astimezone(self.zone).date() - _DAY
        pending: tuple[datetime, datetime] | None = None
        for offset in range(_SEARCHED_DAYS):
            for start, end in self._spans_on(first + offset * _DAY):
                if pending is not None and start <= pending[1]:
                    pending = (pending[0], max(pending[1], end))
                    continue
                if pending is not None and pending[1] > after:
                    yield pending
                pending = (start, end)
        if pending is not None and pending[1] > after:
            yield pending

    def is_open(self, moment: datetime) -> bool:
        """Whether `moment` lies in working time."""
        today = moment.astimezone(self.zone).date()
        return any(start <= moment < end for day in (today - _DAY, today) for start, end in self._spans_on(day))

    def next_opening(self, moment: datetime) -> datetime:
        """`moment` where it lies in working time, else when that begins next; raises NoWorkingTimeError."""
        return self.add_working_time(moment, timedelta(0))

    def add_working_time(self, moment: datetime, working: timedelta) -> datetime:
        """When `working` has been worked after `moment`, in UTC; raises NoWorkingTimeError.

        What is due at closing time is due then, and not at the next opening.
        """
        left = working
        for start, end in self.working_spans(moment):
            begin = max(start, moment.astimezone(UTC))
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise NoWorkingTimeError(f"no {working} of working time within {_SEARCHED_DAYS} days of {moment.isoformat()}")

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments, at most a year apart; zero where `end` is the earlier."""
        worked = timedelta(0)
        for opened, closed in self.working_spans(start):
            if opened >= end:
                break
            worked += max(min(closed, end) - max(opened, start), timedelta(0))
        return worked

    def _spans_on(self, day: date) -> list[tuple[datetime, datetime]]:
        if not self.is_working_day(day):
            return []
        windows: Iterable[TimeWindow] = self.hours.windows.get(day.weekday()) or self.hours.on_working_weekends
        return sorted(window.span_on(day, self.zone) for window in windows)


def local_to_utc(day: date, moment: time, zone: ZoneInfo) -> datetime:
    """A local date and time in UTC. One that occurs twice is the first; one that is skipped, the end of the gap."""
    local = datetime.combine(day, moment, zone)
    there_and_back = local.astimezone(UTC).astimezone(zone)
    if there_and_back.replace(tzinfo=None) == local.replace(tzinfo=None):
        return local.astimezone(UTC)
    return _end_of_gap(local)


def _end_of_gap(local: datetime) -> datetime:
    """The moment at which clocks jump over `local`: where the offset before it meets the one after it."""
    early, late = local.replace(fold=1).astimezone(UTC), local.replace(fold=0).astimezone(UTC)
    zone = local.tzinfo
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def next_occurrence(rule: str, zone: ZoneInfo, start: datetime, after: datetime) -> datetime | None:
    """When a recurrence is due next after `after`, in UTC; None if never again.

    `rule` is an RRULE of RFC 5545 ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0") read in local time: nine o'clock stays
    nine o'clock when clocks change. `start` is when it began to count, for INTERVAL and COUNT. In a month without a
    31st, BYMONTHDAY=31 is not due; the last day is BYMONTHDAY=-1. Raises InvalidRecurrenceError.
    """
    # A local time before `after` can be later in UTC only where a gap moved it: begin a day early and compare in UTC.
    local = after.astimezone(zone).replace(tzinfo=None) - _DAY
    parts = _parts_of(rule)
    begun = start.astimezone(zone).replace(tzinfo=None, microsecond=0)
    if parts["FREQ"] in _FREQUENT and "COUNT" not in parts and parts.get("INTERVAL", "1") == "1":
        begun += max((local - begun).days, 0) * _DAY  # nothing to count: no need to begin years ago
    for due in _parsed(rule, begun).xafter(local, inc=True):
        moment = local_to_utc(due.date(), due.time(), zone)
        if moment > after:
            return moment
    return None


def _parts_of(rule: str) -> dict[str, str]:
    """The rule's parts by their names; raises InvalidRecurrenceError for what could take for ever to be found due."""
    if len(rule) > _RULE_CHARACTERS:
        raise InvalidRecurrenceError(f"longer than {_RULE_CHARACTERS} characters")
    pairs = [part.partition("=") for part in rule.strip().upper().removesuffix(";").split(";")]
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    frequency = parts.get("FREQ")
    if frequency not in {*_FREQUENT, "WEEKLY", "MONTHLY", "YEARLY"}:
        raise InvalidRecurrenceError("it begins with FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY")
    if frequency in _FREQUENT and (refused := sorted(set(parts) - _FREQUENT_PARTS)):
        raise InvalidRecurrenceError(f"{refused[0]} goes with FREQ=MONTHLY or YEARLY")
    if frequency in _FREQUENT and "BYDAY" in parts and parts.get("INTERVAL", "1") != "1":
        raise InvalidRecurrenceError("BYDAY and INTERVAL together go with FREQ=WEEKLY")
    return parts


def _parsed(rule: str, start: datetime) -> rrule:
    try:
        parsed = rrulestr(rule.strip().removesuffix(";"), dtstart=start)
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise InvalidRecurrenceError(f"{rule}: {error}") from error
    if not isinstance(parsed, rrule):
        raise InvalidRecurrenceError(f"{rule}: one rule is needed, not a set")
    return parsed

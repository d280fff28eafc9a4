"""Working time: windows, business hours, holidays, recurrences."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqun.runtime.calendar import (
    BusinessHours,
    InvalidRecurrenceError,
    NoWorkingTimeError,
    TimeWindow,
    WorkCalendar,
    is_official_calendar_known,
    local_to_utc,
    next_occurrence,
)

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
MORNING, AFTERNOON = TimeWindow(time(9), time(12)), TimeWindow(time(13, 30), time(17, 30))
OFFICE = BusinessHours.on_weekdays(MORNING, AFTERNOON)
BANK = WorkCalendar(OFFICE, SHANGHAI)


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI).astimezone(UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("moment", "covered"), [(time(22, 29), False), (time(22, 30), True), (time(0), True), (time(7, 30), False)]
)
def test_a_window_may_pass_midnight(moment: time, covered: bool) -> None:
    assert TimeWindow(time(22, 30), time(7, 30)).covers(moment) is covered


TIMES = st.times()


@given(TIMES, TIMES, TIMES)
def test_a_time_of_day_lies_in_one_of_two_windows_that_complement_each_other(
    start: time, end: time, moment: time
) -> None:
    there, back = TimeWindow(start, end), TimeWindow(end, start)
    if start != end:
        assert there.covers(moment) != back.covers(moment)
        assert there.length + back.length == timedelta(days=1)
    else:
        assert there.covers(moment)
        assert there.length == timedelta(days=1)


def test_a_window_that_ends_as_it_starts_is_a_whole_day() -> None:
    start, end = TimeWindow(time(8), time(8)).span_on(date(2026, 3, 2), SHANGHAI)
    assert end - start == timedelta(days=1)


def test_twenty_working_minutes_pass_over_the_lunch_break() -> None:
    assert BANK.add_working_time(shanghai(2026, 3, 2, 11, 50), timedelta(minutes=20)) == shanghai(2026, 3, 2, 13, 40)


def test_twenty_working_minutes_pass_over_a_weekend() -> None:
    assert BANK.add_working_time(shanghai(2026, 3, 6, 17, 20), timedelta(minutes=20)) == shanghai(2026, 3, 9, 9, 10)


def test_what_is_due_at_closing_time_is_due_then() -> None:
    assert BANK.add_working_time(shanghai(2026, 3, 6, 17, 0), timedelta(minutes=30)) == shanghai(2026, 3, 6, 17, 30)


def test_national_holidays_are_closed_and_their_working_weekends_open() -> None:
    assert not BANK.is_working_day(date(2026, 10, 1))
    assert BANK.is_working_day(date(2026, 10, 10))  # a Saturday
    assert BANK.is_open(shanghai(2026, 10, 10, 10))
    assert BANK.next_opening(shanghai(2026, 9, 30, 18)) == shanghai(2026, 10, 8, 9)


def test_an_operators_own_days_win() -> None:
    own = WorkCalendar(OFFICE, SHANGHAI, own_days={date(2026, 10, 1): True, date(2026, 3, 2): False})
    assert own.is_working_day(date(2026, 10, 1))
    assert not own.is_open(shanghai(2026, 3, 2, 10))


def test_a_year_whose_working_weekends_are_not_published_is_told() -> None:
    assert is_official_calendar_known("CN", 2026)
    assert not is_official_calendar_known("CN", 2050)
    assert is_official_calendar_known("DE", 2050)


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    night = WorkCalendar(BusinessHours({4: (TimeWindow(time(22), time(6)),)}), SHANGHAI, country=None)
    assert night.is_open(shanghai(2026, 3, 7, 5, 59))  # Saturday morning of Friday's shift
    assert not night.is_open(shanghai(2026, 3, 6, 5))


def test_overlapping_windows_count_once() -> None:
    hours = BusinessHours({0: (TimeWindow(time(9), time(12)), TimeWindow(time(11), time(13)))})
    monday = WorkCalendar(hours, SHANGHAI, country=None)
    assert monday.working_time_between(shanghai(2026, 3, 2), shanghai(2026, 3, 3)) == timedelta(hours=4)


def test_a_shift_across_the_change_of_clocks_has_its_true_length() -> None:
    night = WorkCalendar(BusinessHours({5: (TimeWindow(time(22), time(6)),)}), BERLIN, country=None)
    saturday = datetime(2026, 3, 28, tzinfo=BERLIN)
    assert night.working_time_between(saturday, saturday + timedelta(days=2)) == timedelta(hours=7)


def test_a_local_time_that_is_skipped_is_the_end_of_the_gap() -> None:
    assert local_to_utc(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_no_working_time_at_all_is_an_error() -> None:
    with pytest.raises(NoWorkingTimeError):
        WorkCalendar(BusinessHours({}), SHANGHAI).next_opening(shanghai(2026, 3, 2))


moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, st.timedeltas(timedelta(0), timedelta(hours=60)), st.sampled_from([SHANGHAI, BERLIN]))
def test_adding_working_time_and_measuring_it_agree(moment: datetime, working: timedelta, zone: ZoneInfo) -> None:
    calendar = WorkCalendar(OFFICE, zone)
    due = calendar.add_working_time(moment, working)
    assert calendar.working_time_between(moment, due) == working


@given(moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(moment: datetime) -> None:
    opening = BANK.next_opening(moment)
    assert BANK.is_open(opening)
    assert BANK.working_time_between(moment, opening) == timedelta(0)


def test_nine_oclock_stays_nine_oclock_when_clocks_change() -> None:
    rule, start = "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0", datetime(2026, 3, 1, tzinfo=UTC)
    due = next_occurrence(rule, BERLIN, start, datetime(2026, 3, 28, 9, tzinfo=UTC))
    assert due == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_the_last_day_of_a_month_is_said_from_its_end() -> None:
    rule = "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=9;BYMINUTE=0;BYSECOND=0"
    start = shanghai(2026, 1, 1)
    assert next_occurrence(rule, SHANGHAI, start, shanghai(2026, 2, 1)) == shanghai(2026, 2, 28, 9)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=3", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_recurrence_that_is_over_or_never_comes_is_never_due(rule: str) -> None:
    assert next_occurrence(rule, SHANGHAI, shanghai(2026, 1, 1), shanghai(2026, 2, 1)) is None


def test_hourly_for_many_years_goes_on_from_where_it_is() -> None:
    start, after = shanghai(2011, 1, 1, 0, 20), shanghai(2026, 2, 1)
    assert next_occurrence("FREQ=HOURLY", SHANGHAI, start, after) == shanghai(2026, 2, 1, 0, 20)


@pytest.mark.parametrize(
    "rule", ["", "DAILY", "FREQ=SOMETIMES", "FREQ=DAILY\nRRULE:FREQ=DAILY", "FREQ=DAILY;BYDAY=XX", "FREQ=SECONDLY"]
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(InvalidRecurrenceError):
        next_occurrence(rule, SHANGHAI, shanghai(2026, 1, 1), shanghai(2026, 1, 2))


@given(moments, st.sampled_from(["FREQ=HOURLY", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=DAILY;INTERVAL=3"]))
def test_an_occurrence_lies_after_the_moment_asked_about(after: datetime, rule: str) -> None:
    due = next_occurrence(rule, BERLIN, datetime(2024, 1, 1, 1, 30, tzinfo=UTC), after)
    assert due is not None
    assert due > after

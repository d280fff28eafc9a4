"""The ladder: what an offence leads to, and that it climbs one rung at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from huiqun.contracts.moderation import SanctionKind
from moderation.policies.sections.ladder import Ladder
from moderation.standings.model import (
    RECENT,
    REMOVAL_RUNG,
    STRIKES,
    LadderStep,
    Standing,
    Strike,
    add_strike,
    current_rung,
    score_strikes,
)

START = datetime(2026, 11, 22, 4, tzinfo=UTC)
LADDER = Ladder()
WEEK = timedelta(days=7)


def strike(number: int, at: datetime, weight: float = 2.0) -> Strike:
    return Strike(f"s{number}", f"m{number}", "ads", weight, at)


def offend(standing: Standing, *seconds: float, weight: float = 2.0, ladder: Ladder = LADDER) -> list[int]:
    """The rung that each offence, so many seconds after the start, leads to; 0 for none."""
    climbs = [
        add_strike(standing, strike(len(standing.strikes) + number, START + timedelta(seconds=second), weight), ladder)
        for number, second in enumerate(seconds)
    ]
    return [climb.rung if climb else 0 for climb in climbs]


def test_blocked_offences_climb_from_warning_over_three_mutes_to_the_proposal_to_remove() -> None:
    standing = Standing("g", "u")
    climbs = [
        add_strike(standing, strike(number, START + timedelta(minutes=5 * number)), LADDER) for number in range(6)
    ]
    kinds = [climb.kind for climb in climbs if climb]
    assert kinds == [
        SanctionKind.WARNING,
        SanctionKind.MUTE,
        SanctionKind.MUTE,
        SanctionKind.MUTE,
        SanctionKind.REMOVAL_PROPOSED,
        SanctionKind.REMOVAL_PROPOSED,
    ]
    ends = [
        climb.until - START - timedelta(minutes=5 * number)
        for number, climb in enumerate(climbs)
        if climb and climb.until
    ]
    assert ends == [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=24)]


def test_small_offences_are_gathered_before_a_warning() -> None:
    assert offend(Standing("g", "u"), 0, 100, 200, 300, weight=0.5) == [0, 1, 1, 2]


def test_an_offence_of_no_weight_leaves_no_trace() -> None:
    standing = Standing("g", "u")
    assert offend(standing, 0, 100, weight=0) == [0, 0]
    assert standing.strikes == []


def test_a_message_is_struck_once_however_often_it_is_edited() -> None:
    standing = Standing("g", "u")
    assert add_strike(standing, strike(1, START), LADDER) is not None
    again = replace(strike(1, START + timedelta(minutes=5)), id="another")
    assert add_strike(standing, again, LADDER) is None
    assert len(standing.strikes) == 1


def test_within_the_grace_after_a_sanction_offences_count_and_bring_no_other() -> None:
    standing = Standing("g", "u")
    assert offend(standing, 0, 10, 59, 60) == [1, 0, 0, 2]
    assert len(standing.strikes) == 4


def test_an_offence_counts_half_after_the_half_life() -> None:
    strikes = [strike(1, START)]
    assert score_strikes(strikes, LADDER, START) == 2
    assert score_strikes(strikes, LADDER, START + WEEK) == pytest.approx(1)
    assert score_strikes(strikes, LADDER, START + 2 * WEEK) == pytest.approx(0.5)


def test_who_behaves_comes_down_a_rung_a_half_life() -> None:
    standing = Standing("g", "u")
    offend(standing, *(300.0 * number for number in range(4)))
    top = START + timedelta(seconds=900)
    assert [current_rung(standing.strikes, LADDER, top + weeks * WEEK) for weeks in range(6)] == [4, 3, 2, 1, 0, 0]


def test_after_a_long_good_time_the_ladder_begins_with_a_warning_again() -> None:
    standing = Standing("g", "u")
    offend(standing, *(300.0 * number for number in range(5)))
    later = add_strike(standing, strike(99, START + timedelta(days=365)), LADDER)
    assert later is not None
    assert later.kind is SanctionKind.WARNING
    assert [known.id for known in standing.strikes] == ["s99"]


def test_a_longer_mute_is_not_cut_short_by_a_shorter_one() -> None:
    until = START + timedelta(days=3)
    standing = Standing("g", "u", strikes=[replace(strike(1, START - timedelta(hours=1)), rung=1, until=until)])
    climb = add_strike(standing, strike(2, START), LADDER)
    assert climb is not None
    assert climb.kind is SanctionKind.MUTE
    assert standing.muted_until == until


@given(
    st.lists(st.tuples(st.floats(0, 3_000_000), st.sampled_from([0.01, 0.04, 0.05, 0.5, 1.0, 2.0, 50.0])), max_size=80)
)
@settings(max_examples=200)
def test_no_offence_climbs_more_than_one_rung_and_none_is_skipped(offences: list[tuple[float, float]]) -> None:
    standing = Standing("g", "u")
    now = START
    sanctions: list[tuple[datetime, LadderStep]] = []
    for number, (wait, weight) in enumerate(offences):
        now += timedelta(seconds=wait)
        before = current_rung(standing.strikes, LADDER, now)
        held = {known.id: known.rung for known in standing.strikes}
        climb = add_strike(standing, strike(number, now, weight), LADDER)
        assert all(held.get(known.id, known.rung) == known.rung for known in standing.strikes)
        assert len(standing.strikes) <= STRIKES
        if climb is None:
            continue
        assert 1 <= climb.rung <= min(before + 1, REMOVAL_RUNG)
        assert (climb.until is None) == (climb.kind is not SanctionKind.MUTE)
        assert not sanctions or (now - sanctions[-1][0]).total_seconds() >= LADDER.grace_seconds
        if climb.rung > 1:
            given_before = {earlier.rung for _, earlier in sanctions}
            assert climb.rung - 1 in given_before or climb.rung in given_before
        sanctions.append((now, climb))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60)), max_size=60))
def test_the_day_s_count_is_what_was_sent_on_that_day(days: list[tuple[int, int]]) -> None:
    standing = Standing("g", "u")
    counted: dict[int, int] = {}
    latest = 0
    for day, _ in days:
        number = standing.count_message(700_000 + day)
        if day < latest:
            assert number == 0
            continue
        latest = day
        counted[day] = counted.get(day, 0) + 1
        assert number == counted[day]


def test_what_is_remembered_of_messages_is_bounded_in_number_and_time() -> None:
    standing = Standing("g", "u")
    for number in range(100):
        standing.remember_message(number * 1000, number % 2, 0)
    assert len(standing.recent) == RECENT
    assert standing.count_messages_since(95_000) == 5
    assert standing.count_repeats_since(95_000, 1) == 3
    standing.remember_message(100_000, 0, 99_000)
    assert standing.recent == [(99_000, 1), (100_000, 0)]

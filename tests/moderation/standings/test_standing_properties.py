"""What holds for every history of offences: no rung is skipped, a reversal takes back just what it gave."""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from moderation.policies.sections.ladder import Ladder
from moderation.standings.model import (
    REMOVAL_RUNG,
    STRIKES,
    LadderStep,
    Standing,
    Strike,
    add_strike,
    current_rung,
    reclassify_strike,
    reverse_strike,
)

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
LADDERS = st.builds(
    Ladder,
    mute_minutes=st.sampled_from([(10, 60, 1440), (1, 1, 1), (1440, 60, 10)]),
    half_life_hours=st.sampled_from([0.5, 24, 168]),
    grace_seconds=st.sampled_from([0, 60, 3600]),
)
WEIGHTS = st.sampled_from([0.04, 0.5, 1.0, 2.0, 4.0, 20.0])
PAUSES = st.sampled_from([0, 30, 90, 4_000, 90_000, 700_000]).map(lambda seconds: timedelta(seconds=seconds))


@dataclass(frozen=True)
class Offence:
    """An offence some time after the one before."""

    weight: float
    pause: timedelta


HISTORIES = st.lists(st.builds(Offence, WEIGHTS, PAUSES), min_size=1, max_size=12)


def strikes_of(history: list[Offence]) -> list[Strike]:
    """The offences as strikes, each in a message of its own."""
    moment, strikes = START, []
    for number, offence in enumerate(history):
        moment += offence.pause
        strikes.append(Strike(f"s{number}", f"m{number}", "ads", offence.weight, moment))
    return strikes


def live(history: list[Strike], ladder: Ladder) -> tuple[Standing, list[LadderStep | None]]:
    """A member who does all this."""
    standing = Standing("g1", "u1")
    return standing, [add_strike(standing, strike, ladder) for strike in history]


@given(HISTORIES, LADDERS)
def test_no_offence_skips_a_rung(history: list[Offence], ladder: Ladder) -> None:
    standing = Standing("g1", "u1")
    for strike in strikes_of(history):
        stood = current_rung(standing.strikes, ladder, strike.at)
        climb = add_strike(standing, strike, ladder)
        if climb is not None:
            assert 1 <= climb.rung <= min(stood + 1, REMOVAL_RUNG)
            assert current_rung(standing.strikes, ladder, strike.at) >= climb.rung


@given(HISTORIES, LADDERS, st.data())
def test_no_rung_is_skipped_after_a_reversal_either(
    history: list[Offence], ladder: Ladder, data: st.DataObject
) -> None:
    strikes = strikes_of(history)
    standing, _ = live(strikes, ladder)
    reverse_strike(standing, data.draw(st.sampled_from(strikes)).message_id)
    moment = strikes[-1].at + timedelta(hours=2)
    stood = current_rung(standing.strikes, ladder, moment)
    climb = add_strike(standing, Strike("next", "next", "ads", 50.0, moment), ladder)
    assert climb is not None
    assert climb.rung == min(stood + 1, REMOVAL_RUNG)


@given(HISTORIES, LADDERS)
def test_reversing_the_last_offence_leaves_the_history_without_it(history: list[Offence], ladder: Ladder) -> None:
    strikes = strikes_of(history)
    standing, _ = live(strikes, ladder)
    without, _ = live(strikes[:-1], ladder)
    taken_back = reverse_strike(standing, strikes[-1].message_id)
    assert taken_back is not None
    moment = strikes[-1].at
    assert [s for s in without.strikes if s in standing.strikes] == standing.strikes
    assert current_rung(standing.strikes, ladder, moment) == current_rung(without.strikes, ladder, moment)
    assert standing.is_muted(moment) == without.is_muted(moment)
    if standing.is_muted(moment):
        assert standing.muted_until == without.muted_until


@given(HISTORIES, LADDERS, st.data())
def test_reversing_any_offence_leaves_the_others_exactly_what_they_were_given(
    history: list[Offence], ladder: Ladder, data: st.DataObject
) -> None:
    strikes = strikes_of(history)
    standing, _ = live(strikes, ladder)
    before = deepcopy(standing)
    gone = data.draw(st.sampled_from(strikes)).message_id
    reverse_strike(standing, gone)
    assert standing == replace(before, strikes=[strike for strike in before.strikes if strike.message_id != gone])
    ends = [strike.until for strike in standing.strikes if strike.until is not None]
    assert standing.muted_until == max(ends, default=None)


@given(HISTORIES, LADDERS, st.permutations(range(12)))
def test_reversing_everything_in_any_order_leaves_a_clean_slate(
    history: list[Offence], ladder: Ladder, order: list[int]
) -> None:
    strikes = strikes_of(history)
    standing, _ = live(strikes, ladder)
    for number in order:
        reverse_strike(standing, f"m{number}")
    assert standing == Standing("g1", "u1")


@given(HISTORIES, LADDERS, st.data())
def test_what_is_delivered_again_changes_nothing(history: list[Offence], ladder: Ladder, data: st.DataObject) -> None:
    strikes = strikes_of(history)
    standing = Standing("g1", "u1")
    for strike in strikes:
        add_strike(standing, strike, ladder)
        once = deepcopy(standing)
        again = data.draw(st.sampled_from(standing.strikes))
        assert add_strike(standing, replace(again, id="again", rung=0, until=None), ladder) is None
        assert standing == once
    reverse_strike(standing, strikes[0].message_id)
    once = deepcopy(standing)
    assert reverse_strike(standing, strikes[0].message_id) is None
    assert standing == once


@given(HISTORIES, LADDERS, WEIGHTS)
def test_another_category_changes_weight_and_name_and_no_sanction(
    history: list[Offence], ladder: Ladder, weight: float
) -> None:
    strikes = strikes_of(history)
    standing, _ = live(strikes, ladder)
    before = deepcopy(standing)
    last = standing.strikes[-1]
    assert reclassify_strike(standing, last.message_id, "abuse", weight) == last
    assert standing.strikes == [*before.strikes[:-1], replace(last, category="abuse", weight=weight)]
    reclassify_strike(standing, last.message_id, "id_card", 0)
    assert standing.strikes == before.strikes[:-1]


def test_offences_are_bounded_and_one_with_a_running_mute_is_not_forgotten() -> None:
    ladder = Ladder(grace_seconds=3600)
    standing = Standing("g1", "u1")
    for number in range(3):
        add_strike(
            standing, Strike(f"s{number}", f"m{number}", "ads", 4.0, START + timedelta(hours=2 * number)), ladder
        )
    muting = standing.strikes[-1]
    assert muting.until == START + timedelta(hours=5)
    patient = ladder.model_copy(update={"scores": (1e6, 1e6, 1e6, 1e6, 1e6)})
    for number in range(200):
        moment = START + timedelta(hours=4, seconds=number)
        add_strike(standing, Strike(f"t{number}", f"t{number}", "ads", 1.0, moment), patient)
    assert len(standing.strikes) == STRIKES
    assert muting in standing.strikes
    assert standing.muted_until == muting.until

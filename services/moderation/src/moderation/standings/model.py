"""A member's counters and offences, and which sanction the next offence brings. No I/O."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from huiqun.contracts.moderation import SanctionKind
from moderation.policies.sections.ladder import Ladder

RECENT = 20
STRIKES = 50
_NEGLIGIBLE = 0.05
# Offences of the same hour add up in full: else a rung would hang on the milliseconds between them.
_TOLERANCE = 0.01
WARNING_RUNG = 1
REMOVAL_RUNG = 5


@dataclass(frozen=True, slots=True)
class Strike:
    """An offence: what it counted, when, the rung it led to (0: none of its own), and the end of the mute it brought.

    Everything an offence took from its member stands here, so that taking it back takes back nothing else.
    """

    id: str
    message_id: str
    category: str
    weight: float
    at: datetime
    rung: int = 0
    until: datetime | None = None

    @property
    def sanction_id(self) -> str | None:
        """The sanction that the offence brought, which bears the offence's id; None if it brought none."""
        return self.id if self.rung else None


@dataclass(slots=True)
class Standing:
    """A member in a group. `day` is a proleptic ordinal of the group's calendar, `counted` the messages of that day.

    `recent` holds the last messages as (milliseconds since 1970, hash of the text); `since` is when the member was
    first seen to write, `substantial` how many messages said something new; `short_texts` are the last texts so short
    that a word may have been cut over them; `mode_notice_at` is when the member was last told that the group is quiet.
    `stored` is the store's own: what the database has of the member, None for nothing.
    """

    group_id: str
    member_id: str
    day: int = 0
    counted: int = 0
    recent: list[tuple[int, int]] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    since: datetime | None = None
    substantial: int = 0
    short_texts: list[tuple[datetime, str]] = field(default_factory=list)
    mode_notice_at: datetime | None = None
    stored: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> str:
        """The document's id."""
        return standing_key(self.group_id, self.member_id)

    @property
    def muted_until(self) -> datetime | None:
        """When the longest mute of the offences that still stand ends; it may be over."""
        return max((strike.until for strike in self.strikes if strike.until is not None), default=None)

    def is_muted(self, now: datetime) -> bool:
        """Whether a mute is running."""
        until = self.muted_until
        return until is not None and until > now

    def find_strike(self, message_id: str) -> Strike | None:
        """The offence that was seen in a message; None for none."""
        return next((strike for strike in self.strikes if strike.message_id == message_id), None)

    def count_message(self, day: int) -> int:
        """Count a message on `day` and return the day's number so far; a late message of a past day counts nowhere."""
        if day > self.day:
            self.day, self.counted = day, 0
        if day == self.day:
            self.counted += 1
        return self.counted if day == self.day else 0

    def remember_message(self, at: int, text: int, since: int) -> None:
        """Keep a message for the flood and duplicate rules, and forget those from before `since`."""
        if self.recent:
            self.recent = [entry for entry in self.recent if entry[0] >= since][1 - RECENT :]
        self.recent.append((at, text))

    def count_messages_since(self, at: int) -> int:
        """Count the remembered messages that are not older than `at`."""
        return len([1 for moment, _ in self.recent if moment >= at])

    def count_repeats(self, text: int) -> int:
        """Count the remembered messages that have this text."""
        return [known for _, known in self.recent].count(text) if self.recent else 0

    def count_repeats_since(self, at: int, text: int) -> int:
        """Count the remembered messages not older than `at` that have this text."""
        return len([1 for moment, known in self.recent if known == text and moment >= at])


@dataclass(frozen=True, slots=True)
class LadderStep:
    """What an offence leads to: a rung and its sanction, with the end of a mute."""

    rung: int
    kind: SanctionKind
    until: datetime | None


def standing_key(group_id: str, member_id: str) -> str:
    """The id of a standing; ids hold no slash."""
    return f"{group_id}/{member_id}"


def score_strikes(strikes: list[Strike], ladder: Ladder, now: datetime) -> float:
    """The sum of the offences' weights, each halved once per half-life."""
    half_life = ladder.half_life_hours * 3600
    return sum(strike.weight * math.exp2(-max((now - strike.at).total_seconds(), 0) / half_life) for strike in strikes)


def score_by_category(strikes: list[Strike], ladder: Ladder, now: datetime) -> dict[str, float]:
    """The score by category of offence."""
    categories = sorted({strike.category for strike in strikes})
    return {
        each: score_strikes([strike for strike in strikes if strike.category == each], ladder, now)
        for each in categories
    }


def allowed_rung(points: float, ladder: Ladder) -> int:
    """The highest rung whose least score is reached; 0 for none."""
    return sum(1 for least in ladder.scores if points >= least - _TOLERANCE)


def add_strike(standing: Standing, strike: Strike, ladder: Ladder, highest: int = REMOVAL_RUNG) -> LadderStep | None:
    """Record an offence and return the sanction it brings: one rung up at most, and none within the grace.

    No sanction is above the rung `highest`: what rests on a likeness brings a warning, however often it happens.
    A message is struck once, however often it is edited.
    """
    if strike.weight <= 0 or standing.find_strike(strike.message_id) is not None:
        return None
    _drop_spent_strikes(standing, ladder, strike.at)
    rung = min(_next_rung(standing.strikes, strike, ladder), highest)
    if rung == 0:
        standing.strikes.append(strike)
        return None
    step = _step_to(rung, ladder, strike.at)
    standing.strikes.append(replace(strike, rung=step.rung, until=step.until))
    return step


def reverse_strike(standing: Standing, message_id: str) -> Strike | None:
    """Take back the offence seen in a message, with its weight, its rung and its mute; None if there is none.

    What later offences were given stays theirs; what the next one is given is reckoned as if this one had never been.
    """
    strike = standing.find_strike(message_id)
    if strike is not None:
        standing.strikes.remove(strike)
    return strike


def reclassify_strike(standing: Standing, message_id: str, category: str, weight: float) -> Strike | None:
    """Count the offence of a message under another category; returns it as it was, None if there is none.

    The sanction it brought stays. Where the new category counts nothing the offence is taken back.
    """
    strike = standing.find_strike(message_id)
    if strike is None or weight <= 0:
        return reverse_strike(standing, message_id)
    standing.strikes[standing.strikes.index(strike)] = replace(strike, category=category, weight=weight)
    return strike


def _next_rung(known: list[Strike], strike: Strike, ladder: Ladder) -> int:
    """The rung that the offence leads to, after those that are known; 0 for none."""
    last = max((each.at for each in known if each.rung), default=None)
    if last is not None and (strike.at - last).total_seconds() < ladder.grace_seconds:
        return 0
    allowed = allowed_rung(score_strikes([*known, strike], ladder, strike.at), ladder)
    return min(current_rung(known, ladder, strike.at) + 1, allowed)


def current_rung(strikes: list[Strike], ladder: Ladder, now: datetime) -> int:
    """The rung a member stands on: the highest one given, less one for every half-life since."""
    half_life = timedelta(hours=ladder.half_life_hours)
    held = (strike.rung - max(int((now - strike.at) / half_life), 0) for strike in strikes if strike.rung)
    return max((0, *held))


def _step_to(rung: int, ladder: Ladder, now: datetime) -> LadderStep:
    if rung == WARNING_RUNG:
        return LadderStep(rung, SanctionKind.WARNING, None)
    if rung >= REMOVAL_RUNG:
        return LadderStep(REMOVAL_RUNG, SanctionKind.REMOVAL_PROPOSED, None)
    return LadderStep(rung, SanctionKind.MUTE, now + timedelta(minutes=ladder.mute_minutes[rung - 2]))


def _drop_spent_strikes(standing: Standing, ladder: Ladder, now: datetime) -> None:
    """Drop offences that neither count, hold a rung nor mute any more, and make room below the bound for another."""
    kept = [
        strike
        for strike in standing.strikes
        if score_strikes([strike], ladder, now) >= _NEGLIGIBLE
        or current_rung([strike], ladder, now) > 0
        or (strike.until is not None and strike.until > now)
    ]
    if len(kept) >= STRIKES:
        del kept[next((place for place, strike in enumerate(kept) if not strike.rung), 0)]
    standing.strikes = kept

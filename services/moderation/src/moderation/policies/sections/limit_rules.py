"""What a policy says about how much, how often and when members write."""

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from huiqun.contracts.moderation import Verdict
from huiqun.runtime.calendar import TimeWindow
from moderation.policies.sections.message_rule import Rule, verdict_field
from moderation.policies.sections.section import Outcome, PolicyFault

_LEAST_CHARACTERS = 5
_LEAST_TIME_TO_WRITE = timedelta(hours=1)
_DAY = timedelta(days=1)


def _without_zone(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("a time of day in the group's own time zone has no offset")
    return moment


TimeOfDay = Annotated[time, AfterValidator(_without_zone)]


class QuotaRule(Rule):
    """At most so many messages of a member per calendar day of the group."""

    per_day: int = Field(
        default=5,
        ge=1,
        le=10_000,
        description="Messages that a member may send a day, in the group's time zone.",
        examples=[5],
    )
    verdict: Outcome = verdict_field(Verdict.WARN)


class LengthRule(Rule):
    """At most so long a text, voice message or video."""

    max_characters: int | None = Field(
        default=None,
        ge=1,
        le=20_000,
        description="The most characters that a text may have; null for no limit.",
        examples=[500],
    )
    max_seconds: int | None = Field(
        default=None,
        ge=1,
        le=86_400,
        description="The most seconds that a voice message or video may last; null for no limit.",
        examples=[60],
    )
    verdict: Outcome = verdict_field(Verdict.WARN)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find a cap that caps nothing, or nearly every message."""
        if self.max_characters is None and self.max_seconds is None:
            yield PolicyFault((), "It caps neither characters nor seconds.")
        elif self.max_characters is not None and self.max_characters < _LEAST_CHARACTERS:
            reason = f"Fewer than {_LEAST_CHARACTERS} characters would hit nearly every message."
            yield PolicyFault(("max_characters",), reason)


class OversizeRule(Rule):
    """A person looks at what is too long to be judged as a whole: over 20,000 characters, or 4,096 of an address."""

    verdict: Outcome = verdict_field(Verdict.REVIEW)


class FloodRule(Rule):
    """Fewer than `messages` messages of a member within `seconds`."""

    messages: int = Field(
        default=8, ge=2, le=20, description="Number of the message that is one too many within the time.", examples=[8]
    )
    seconds: int = Field(
        default=10,
        ge=1,
        le=600,
        description="Length in seconds of the time that messages are counted in.",
        examples=[10],
    )
    verdict: Outcome = verdict_field(Verdict.WARN)


class DuplicateRule(Rule):
    """The same text fewer than `times` times within `seconds`."""

    times: int = Field(
        default=3,
        ge=2,
        le=20,
        description="Number of the repetition of a text that is one too many within the time.",
        examples=[3],
    )
    seconds: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="Length in seconds of the time that repetitions are counted in.",
        examples=[600],
    )
    min_characters: int = Field(
        default=6,
        ge=1,
        le=1000,
        description="The fewest characters of a text that may not be repeated; shorter ones may.",
        examples=[6],
    )
    verdict: Outcome = verdict_field(Verdict.WARN)


class QuietHours(Rule):
    """No messages of customers between two times of day in the group's time zone; may pass midnight."""

    start: TimeOfDay = Field(
        default=time(22, 30),
        description="Time of day at which the quiet hours begin, in the group's time zone.",
        examples=["22:30:00"],
    )
    end: TimeOfDay = Field(
        default=time(7, 30),
        description="Time of day at which the quiet hours end, in the group's time zone.",
        examples=["07:30:00"],
    )
    verdict: Outcome = verdict_field(Verdict.WARN)

    @property
    def window(self) -> TimeWindow | None:
        """When it is quiet; None if it ends when it starts, as then no moment is."""
        return TimeWindow(self.start, self.end) if self.start != self.end else None

    def covers(self, moment: time) -> bool:
        """Whether a time of day is quiet."""
        return self.window is not None and self.window.covers(moment)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find hours that are never, or nearly always."""
        if self.window is None:
            yield PolicyFault(("end",), "It ends when it starts, so no moment is quiet.")
        elif _DAY - self.window.length < _LEAST_TIME_TO_WRITE:
            yield PolicyFault((), "It leaves less than an hour a day to write in.")

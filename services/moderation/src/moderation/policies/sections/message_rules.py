"""What a policy says about messages: one rule for each thing that they are judged by."""

import re
from collections.abc import Iterator
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from huiqun.contracts.channel import MessageKind
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import ComparedText
from huiqun.runtime.calendar import TimeWindow
from moderation.policies.sections.section import Category, Outcome, PolicyFault, PolicySection


def _domain(name: str) -> str:
    if re.fullmatch(r"[\w.-]{1,253}", name) is None:
        raise ValueError("a domain alone is wanted, such as bank.example.com, without https:// and without a path")
    return name.lower()


Domain = Annotated[str, ComparedText(strip_whitespace=True), AfterValidator(_domain)]


def _without_zone(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("a time of day in the group's own time zone has no offset")
    return moment


TimeOfDay = Annotated[time, AfterValidator(_without_zone)]
_LEAST_CHARACTERS = 5
_LEAST_TIME_TO_WRITE = timedelta(hours=1)
_DAY = timedelta(days=1)


def _verdict(default: Verdict) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    return Field(default=default, description="What a breach of the rule leads to.", examples=[default.value])


class Rule(PolicySection):
    """Something that messages are judged by."""

    shadow: bool = Field(
        default=False,
        description="Whether the rule is on trial: findings are recorded and counted, and nothing follows.",
        examples=[False],
    )

    def is_on_trial(self, category: str) -> bool:  # noqa: ARG002 - a rule with categories may try some of them
        """Whether nothing follows from a finding of this category."""
        return self.shadow


class QuotaRule(Rule):
    """At most so many messages of a member per calendar day of the group."""

    per_day: int = Field(
        default=5,
        ge=1,
        le=10_000,
        description="Messages that a member may send a day, in the group's time zone.",
        examples=[5],
    )
    verdict: Outcome = _verdict(Verdict.WARN)


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
    verdict: Outcome = _verdict(Verdict.WARN)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find a cap that caps nothing, or nearly every message."""
        if self.max_characters is None and self.max_seconds is None:
            yield PolicyFault((), "It caps neither characters nor seconds.")
        elif self.max_characters is not None and self.max_characters < _LEAST_CHARACTERS:
            reason = f"Fewer than {_LEAST_CHARACTERS} characters would hit nearly every message."
            yield PolicyFault(("max_characters",), reason)


class OversizeRule(Rule):
    """A person looks at what is too long to be judged as a whole: over 20,000 characters, or 4,096 of an address."""

    verdict: Outcome = _verdict(Verdict.REVIEW)


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
    verdict: Outcome = _verdict(Verdict.WARN)


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
    verdict: Outcome = _verdict(Verdict.WARN)


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
    verdict: Outcome = _verdict(Verdict.WARN)

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


class LinkRule(Rule):
    """Links only to these domains and what stands below them."""

    allowed_domains: tuple[Domain, ...] = Field(
        default=(),
        max_length=1_000,
        description="Domains that links may lead to, with all subdomains.",
        examples=[["bank.example.com"]],
    )
    verdict: Outcome = _verdict(Verdict.BLOCK)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find domains that are none, or that would allow a whole top-level domain."""
        for index, domain in enumerate(self.allowed_domains):
            labels = domain.split(".")
            path = ("allowed_domains", index)
            if not all(labels):
                yield PolicyFault(path, f"{domain} is no domain: it has two dots together, or one at an end.")
            elif len(labels) == 1:
                yield PolicyFault(path, f"{domain} would allow every link that ends in it.")


class ContactRule(Rule):
    """No WeChat ids or QQ numbers offered for contact; a mobile number by itself is personal data."""

    verdict: Outcome = _verdict(Verdict.BLOCK)


class PersonalDataRule(Rule):
    """No ID cards, bank cards and the like in the group; they are masked whatever the verdict."""

    verdict: Outcome = _verdict(Verdict.BLOCK)


class KindRule(Rule):
    """Kinds of messages that customers may not send."""

    forbidden: tuple[MessageKind, ...] = Field(
        default=(MessageKind.MINI_PROGRAM, MessageKind.CARD),
        max_length=20,
        description="The kinds of messages that are forbidden.",
        examples=[["mini_program", "card"]],
    )
    verdict: Outcome = _verdict(Verdict.BLOCK)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find that nothing is forbidden, or texts are."""
        if not self.forbidden:
            yield PolicyFault(("forbidden",), "It forbids no kind of message.")
        if MessageKind.TEXT in self.forbidden:
            yield PolicyFault(("forbidden",), "Without texts, hardly anything could be said.")


class ProbationRule(Rule):
    """No links, cards or contacts from newcomers: for so many hours, and until so many messages of substance."""

    hours: int = Field(
        default=24,
        ge=0,
        le=720,
        description="Hours that a newcomer is on probation, from the first message on.",
        examples=[24],
    )
    messages: int = Field(
        default=3,
        ge=0,
        le=50,
        description="Messages of substance after which a newcomer is no longer on probation.",
        examples=[3],
    )
    verdict: Outcome = _verdict(Verdict.BLOCK)


class AnnouncementRule(Rule):
    """Nobody but staff publishes what looks like an official announcement."""

    verdict: Outcome = _verdict(Verdict.REVIEW)


class StaffRule(Rule):
    """Words that staff may not use, by category; staff are told or reviewed, never muted or removed."""

    categories: dict[Category, Outcome | None] = Field(
        default={"promise": Verdict.REVIEW, "impolite": Verdict.WARN},
        max_length=60,
        description="What a word of each category leads to: warn or review; null for nothing.",
        examples=[{"promise": "review", "impolite": "warn"}],
    )

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find categories that would block staff."""
        for category, outcome in self.categories.items():
            if outcome is Verdict.BLOCK:
                reason = "Staff are told or reviewed, never blocked: no rule mutes or removes them."
                yield PolicyFault(("categories", category), reason)


class LexiconRule(Rule):
    """What follows from a word of a category; a category that is not named does nothing."""

    categories: dict[Category, Outcome | None] = Field(
        default={
            "ads": Verdict.BLOCK,
            "solicitation": Verdict.BLOCK,
            "fraud": Verdict.BLOCK,
            "abuse": Verdict.BLOCK,
            "obscenity": Verdict.BLOCK,
            "violence": Verdict.BLOCK,
            "politics": Verdict.REVIEW,
            "rumour": Verdict.REVIEW,
        },
        max_length=60,
        description="What a word of each category leads to; null for nothing.",
        examples=[{"ads": "block", "politics": "review"}],
    )
    shadow_categories: tuple[Category, ...] = Field(
        default=(),
        max_length=60,
        description="Categories of words that are on trial: their findings are only recorded.",
        examples=[["rumour"]],
    )
    fuzzy: bool = Field(
        default=True,
        description="Whether words are also found by sound and look; such findings never block by themselves.",
        examples=[True],
    )

    def is_on_trial(self, category: str) -> bool:
        """Whether nothing follows from a word of this category."""
        return self.shadow or category in self.shadow_categories

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find categories that are on trial for nothing."""
        for index, category in enumerate(self.shadow_categories):
            if self.categories.get(category) is None:
                reason = f"{category} is on trial for nothing: name in categories what its words would lead to."
                yield PolicyFault(("shadow_categories", index), reason)


class ClassifierRule(Rule):
    """A person looks at what resembles abuse as a whole, whatever words it is made of; never more than that."""

    threshold: float = Field(
        default=0.9, ge=0.5, le=1, description="The least probability of abuse that is looked at.", examples=[0.9]
    )
    verdict: Literal[Verdict.REVIEW] = _verdict(Verdict.REVIEW)

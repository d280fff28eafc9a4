"""The rules of a policy: values that an operator writes."""

import re
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from huiqun.contracts.channel import MessageKind
from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import ComparedText
from huiqun.runtime.calendar import TimeWindow
from moderation.policies.model.membership import MembershipRules
from moderation.policies.model.retention import RetentionRule
from moderation.policies.model.review import ReviewRule
from moderation.policies.model.values import Category, Minutes, Outcome, Values
from moderation.policies.model.wording import Wording

PolicyId = Annotated[str, ComparedText(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


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
Points = Annotated[float, Field(gt=0, le=1_000)]
Weight = Annotated[float, Field(ge=0, le=100)]


def _verdict(default: Verdict) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    return Field(default=default, description="What a breach leads to.", examples=[default.value])


class Rule(Values):
    """Something that messages are judged by."""

    shadow: bool = Field(
        default=False,
        description="Whether it is on trial: what it finds is recorded and counted, and nothing follows from it.",
        examples=[False],
    )

    def is_on_trial(self, category: str) -> bool:  # noqa: ARG002 - a rule with categories may try some of them
        """Whether nothing follows from a finding of this category."""
        return self.shadow


class QuotaRule(Rule):
    """At most so many messages of a member per calendar day of the group."""

    per_day: int = Field(
        default=5, ge=1, le=10_000, description="Messages a day, in the group's time zone.", examples=[5]
    )
    verdict: Outcome = _verdict(Verdict.WARN)


class LengthRule(Rule):
    """At most so long a text, voice message or video."""

    max_characters: int | None = Field(
        default=None, ge=1, le=20_000, description="Characters of a text.", examples=[500]
    )
    max_seconds: int | None = Field(
        default=None, ge=1, le=86_400, description="Seconds of a voice message or video.", examples=[60]
    )
    verdict: Outcome = _verdict(Verdict.WARN)


class OversizeRule(Rule):
    """A person looks at what is too long to be judged as a whole: over 20,000 characters, or 4,096 of an address."""

    verdict: Outcome = _verdict(Verdict.REVIEW)


class FloodRule(Rule):
    """Fewer than `messages` messages of a member within `seconds`."""

    messages: int = Field(default=8, ge=2, le=20, description="The message that is one too many.", examples=[8])
    seconds: int = Field(default=10, ge=1, le=600, description="Within how many seconds.", examples=[10])
    verdict: Outcome = _verdict(Verdict.WARN)


class DuplicateRule(Rule):
    """The same text fewer than `times` times within `seconds`."""

    times: int = Field(default=3, ge=2, le=20, description="The repetition that is one too many.", examples=[3])
    seconds: int = Field(default=600, ge=1, le=86_400, description="Within how many seconds.", examples=[600])
    min_characters: int = Field(default=6, ge=1, le=1000, description="Shorter texts may be repeated.", examples=[6])
    verdict: Outcome = _verdict(Verdict.WARN)


class QuietHours(Rule):
    """No messages of customers between two times of day in the group's time zone; may pass midnight."""

    start: TimeOfDay = Field(
        default=time(22, 30), description="From this time of day in the group's time zone.", examples=["22:30:00"]
    )
    end: TimeOfDay = Field(default=time(7, 30), description="Up to this time of day.", examples=["07:30:00"])
    verdict: Outcome = _verdict(Verdict.WARN)

    @property
    def window(self) -> TimeWindow | None:
        """When it is quiet; None if it ends when it starts, as then no moment is."""
        return TimeWindow(self.start, self.end) if self.start != self.end else None

    def covers(self, moment: time) -> bool:
        """Whether a time of day is quiet."""
        return self.window is not None and self.window.covers(moment)


class LinkRule(Rule):
    """Links only to these domains and what stands below them."""

    allowed_domains: tuple[Domain, ...] = Field(
        default=(),
        max_length=1_000,
        description="Domains that may be linked to, with all below them.",
        examples=[["bank.example.com"]],
    )
    verdict: Outcome = _verdict(Verdict.BLOCK)


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
        description="The kinds.",
        examples=[["mini_program", "card"]],
    )
    verdict: Outcome = _verdict(Verdict.BLOCK)


class ProbationRule(Rule):
    """No links, cards or contacts from newcomers: for so many hours, and until so many messages of substance."""

    hours: int = Field(default=24, ge=0, le=720, description="Since the first message.", examples=[24])
    messages: int = Field(default=3, ge=0, le=50, description="Messages that say something new.", examples=[3])
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
        default=(), max_length=60, description="Categories that are on trial.", examples=[["rumour"]]
    )
    fuzzy: bool = Field(
        default=True,
        description="Find words also by sound and look; these never block by themselves",
        examples=[True],
    )

    def is_on_trial(self, category: str) -> bool:
        """Whether nothing follows from a word of this category."""
        return self.shadow or category in self.shadow_categories


class ClassifierRule(Rule):
    """A person looks at what resembles abuse as a whole, whatever words it is made of; never more than that."""

    threshold: float = Field(
        default=0.9, ge=0.5, le=1, description="The least probability of abuse that is looked at.", examples=[0.9]
    )
    verdict: Literal[Verdict.REVIEW] = _verdict(Verdict.REVIEW)


class Ladder(Values):
    """How sanctions climb: each offence at most one rung, and only as high as the decayed score allows."""

    scores: tuple[Points, Points, Points, Points, Points] = Field(
        default=(1, 2, 4, 6, 8),
        description="Least score of warning, three mutes, proposal to remove.",
        examples=[[1, 2, 4, 6, 8]],
    )
    mute_minutes: tuple[Minutes, Minutes, Minutes] = Field(
        default=(10, 60, 1440), description="How long the three mutes last.", examples=[[10, 60, 1440]]
    )
    half_life_hours: float = Field(
        default=168, ge=0.1, le=8_760, description="After which an offence counts half.", examples=[168]
    )
    grace_seconds: int = Field(
        default=60, ge=0, le=3_600, description="Time to read a sanction before the next.", examples=[60]
    )
    weights: dict[Category, Weight] = Field(
        default={"quota": 0.5, "length": 0.5, "flood": 1.0, "duplicate": 1.0, "quiet_hours": 0.5, "personal_data": 0.0},
        max_length=100,
        description="What an offence of a category counts; 1 where none is given, and twice that when blocked.",
        examples=[{"quota": 0.5, "abuse": 2}],
    )


class Rules(Values):
    """The rules of a policy; one that is null is off.

    Every field has a default, in every section: whoever writes a policy says what is to be other than in the one it
    inherits from, and leaves out the rest.
    """

    quota: QuotaRule | None = Field(default=None, description="How many messages a day.")
    length: LengthRule | None = Field(default=None, description="How long a message may be.")
    oversize: OversizeRule | None = Field(
        default=OversizeRule(), description="What is too long to be judged as a whole."
    )
    flood: FloodRule | None = Field(default=FloodRule(), description="How many messages in quick succession.")
    duplicate: DuplicateRule | None = Field(default=DuplicateRule(), description="How often the same text.")
    quiet_hours: QuietHours | None = Field(default=None, description="When nobody writes.")
    links: LinkRule | None = Field(default=LinkRule(), description="Which links are allowed.")
    contacts: ContactRule | None = Field(default=ContactRule(), description="Offers of contact outside the group.")
    personal_data: PersonalDataRule | None = Field(
        default=PersonalDataRule(), description="ID cards, bank cards, telephone numbers, addresses."
    )
    kinds: KindRule | None = Field(default=None, description="Which kinds of messages customers may not send.")
    probation: ProbationRule | None = Field(default=None, description="What newcomers may not do yet.")
    announcements: AnnouncementRule | None = Field(
        default=AnnouncementRule(), description="What looks official and is not from staff."
    )
    staff: StaffRule | None = Field(default=StaffRule(), description="What staff may not say.")
    lexicon: LexiconRule | None = Field(default=LexiconRule(), description="Words and what they lead to.")
    classifier: ClassifierRule | None = Field(default=None, description="What resembles abuse as a whole.")
    ladder: Ladder = Field(default=Ladder(), description="How sanctions climb.")
    membership: MembershipRules = Field(
        default=MembershipRules(), description="Welcome, consent, posting of the rules, roster, leaving."
    )
    review: ReviewRule = Field(default=ReviewRule(), description="How people decide, report and appeal.")
    wording: Wording = Field(default=Wording(), description="What members and staff are told.")
    retention: RetentionRule = Field(default=RetentionRule(), description="How long what is said is kept.")

"""What a policy says, which policy a group has, and the snapshot of both that screening reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from huiqun.contracts.channel import Capabilities, MessageKind
from huiqun.contracts.moderation import Verdict

DEFAULT_POLICY = "default"
DEFAULT_TIMEZONE = "Asia/Shanghai"

Outcome = Literal[Verdict.WARN, Verdict.REVIEW, Verdict.BLOCK]
PolicyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Domain = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9.-]{1,253}$")]


class Values(BaseModel):
    """Values an operator writes: a field that is not known is an error, because it would do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QuotaRule(Values):
    """At most so many messages of a member per calendar day of the group."""

    per_day: int = Field(ge=1, le=10_000, examples=[5])
    verdict: Outcome = Verdict.WARN


class LengthRule(Values):
    """At most so long a text, voice message or video."""

    max_characters: int | None = Field(default=None, ge=1, le=20_000, examples=[500])
    max_seconds: int | None = Field(default=None, ge=1, le=86_400, examples=[60])
    verdict: Outcome = Verdict.WARN


class FloodRule(Values):
    """Fewer than `messages` messages of a member within `seconds`."""

    messages: int = Field(default=8, ge=2, le=20, examples=[8])
    seconds: int = Field(default=10, ge=1, le=600, examples=[10])
    verdict: Outcome = Verdict.WARN


class DuplicateRule(Values):
    """The same text fewer than `times` times within `seconds`."""

    times: int = Field(default=3, ge=2, le=20, examples=[3])
    seconds: int = Field(default=600, ge=1, le=86_400, examples=[600])
    min_characters: int = Field(default=6, ge=1, le=1000, description="Shorter texts may be repeated", examples=[6])
    verdict: Outcome = Verdict.WARN


class QuietHours(Values):
    """No messages of customers between two times of day in the group's time zone; may pass midnight."""

    start: time = Field(examples=["22:30:00"])
    end: time = Field(examples=["07:30:00"])
    verdict: Outcome = Verdict.WARN

    def covers(self, moment: time) -> bool:
        """Whether `moment` is quiet."""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


class LinkRule(Values):
    """Links only to these domains and what stands below them."""

    allowed_domains: tuple[Domain, ...] = Field(default=(), max_length=1_000, examples=[["bank.example.com"]])
    verdict: Outcome = Verdict.BLOCK


class ContactRule(Values):
    """No WeChat ids, QQ numbers or telephone numbers offered for contact."""

    verdict: Outcome = Verdict.BLOCK


class PersonalDataRule(Values):
    """No ID cards, bank cards and the like in the group; they are masked whatever the verdict."""

    verdict: Outcome = Verdict.BLOCK


class KindRule(Values):
    """Kinds of messages that customers may not send."""

    forbidden: tuple[MessageKind, ...] = Field(max_length=20, examples=[["mini_program", "card"]])
    verdict: Outcome = Verdict.BLOCK


class ProbationRule(Values):
    """No links, cards or contacts from newcomers: for so many hours, and until so many messages of substance."""

    hours: int = Field(default=24, ge=0, le=720, examples=[24])
    messages: int = Field(default=3, ge=0, le=50, examples=[3])
    verdict: Outcome = Verdict.BLOCK


class AnnouncementRule(Values):
    """Nobody but staff publishes what looks like an official announcement."""

    verdict: Outcome = Verdict.REVIEW


class StaffRule(Values):
    """Words that staff may not use, by category; staff are told or reviewed, never muted or removed."""

    categories: dict[str, Literal[Verdict.WARN, Verdict.REVIEW]] = Field(
        default={"promise": Verdict.REVIEW, "impolite": Verdict.WARN}, max_length=60
    )


class LexiconRule(Values):
    """What follows from a word of a category; a category that is not named does nothing."""

    categories: dict[str, Outcome] = Field(max_length=60, examples=[{"ads": "block", "politics": "review"}])
    fuzzy: bool = Field(default=True, description="Find words also by sound and look; these never block by themselves")


class Ladder(Values):
    """How sanctions climb: each offence at most one rung, and only as high as the decayed score allows."""

    scores: tuple[float, float, float, float, float] = Field(
        default=(1, 2, 4, 6, 8), description="Least score of warning, three mutes, proposal to remove"
    )
    mute_minutes: tuple[int, int, int] = Field(default=(10, 60, 1440), examples=[[10, 60, 1440]])
    half_life_hours: float = Field(default=168, gt=0, le=8_760, description="After which an offence counts half")
    grace_seconds: int = Field(default=60, ge=0, le=3_600, description="Time to read a sanction before the next")
    weights: dict[str, float] = Field(
        default={"quota": 0.5, "length": 0.5, "flood": 1.0, "duplicate": 1.0, "quiet_hours": 0.5, "personal_data": 0.0},
        max_length=100,
        description="What an offence of a category counts; 1 where none is given, and twice that when blocked",
    )


class Rules(Values):
    """The rules of a policy; one that is absent is off."""

    quota: QuotaRule | None = None
    length: LengthRule | None = None
    flood: FloodRule | None = FloodRule()
    duplicate: DuplicateRule | None = DuplicateRule()
    quiet_hours: QuietHours | None = None
    links: LinkRule | None = LinkRule()
    contacts: ContactRule | None = ContactRule()
    personal_data: PersonalDataRule | None = PersonalDataRule()
    kinds: KindRule | None = None
    probation: ProbationRule | None = None
    announcements: AnnouncementRule | None = AnnouncementRule()
    staff: StaffRule | None = StaffRule()
    lexicon: LexiconRule = LexiconRule(
        categories={
            "ads": Verdict.BLOCK,
            "solicitation": Verdict.BLOCK,
            "fraud": Verdict.BLOCK,
            "abuse": Verdict.BLOCK,
            "obscenity": Verdict.BLOCK,
            "violence": Verdict.BLOCK,
            "politics": Verdict.REVIEW,
            "rumour": Verdict.REVIEW,
        }
    )
    ladder: Ladder = Ladder()


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a policy."""

    id: str
    version: int
    rules: Rules

    @property
    def label(self) -> str:
        """How decisions name it: "default@3"."""
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What screening needs to know of a group."""

    policy_id: str | None = None
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo(DEFAULT_TIMEZONE))
    owner: str | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)


UNKNOWN_GROUP = GroupSettings()
BUILT_IN = Policy(DEFAULT_POLICY, 0, Rules())


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force and the settings of the groups, as of one moment."""

    active: Mapping[str, Policy]
    groups: Mapping[str, GroupSettings]

    def settings_of(self, group_id: str) -> GroupSettings:
        """The group's settings; the defaults for a group nobody has told us of."""
        return self.groups.get(group_id, UNKNOWN_GROUP)

    def policy_of(self, settings: GroupSettings) -> Policy:
        """The group's policy; the default where it has none of its own."""
        chosen = self.active.get(settings.policy_id) if settings.policy_id else None
        return chosen or self.active.get(DEFAULT_POLICY, BUILT_IN)

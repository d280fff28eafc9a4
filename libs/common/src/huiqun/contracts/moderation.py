"""What moderation decides: verdicts, sanctions, cases, consent, incidents, policies."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from huiqun.contracts.channel import MessageKind, Role
from huiqun.contracts.envelope import Event, Id, Instant, Payload, assemble
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.privacy.text import MaskedText
from huiqun.runtime.clock import whole_milliseconds
from huiqun.runtime.ids import new_id

RuleName = Annotated[str, MaskedText(min_length=1, max_length=64)]


class Verdict(StrEnum):
    """What is to happen with a message, from mild to severe."""

    ALLOW = "allow"
    WARN = "warn"
    REVIEW = "review"
    BLOCK = "block"


class Reason(Payload):
    """A rule that spoke, and on what evidence."""

    rule: RuleName = Field(examples=["lexicon"])
    category: RuleName = Field(examples=["ads"])
    severity: int = Field(ge=1, le=5)
    confidence: float = Field(ge=0, le=1)
    spans: tuple[tuple[int, int], ...] = Field(default=(), description="Where in the text as kept, in characters")
    shadow: bool = Field(default=False, description="The rule was on trial: nothing followed from it")
    word: Annotated[str, MaskedText(max_length=1_000)] | None = Field(
        default=None, description="The word that was found, after its list", examples=["huiqun/加薇"]
    )
    stream: Annotated[str, MaskedText(max_length=32)] | None = Field(default=None, description="How it was written")


class Screened(Payload):
    """A judged message, masked; this is what the other services read."""

    channel: str = Field(default="channel", max_length=256, description="The source of the channel's events")
    message_id: Id
    group_id: Id
    member_id: Id
    role: Role
    kind: MessageKind = MessageKind.TEXT
    duration_seconds: float | None = Field(default=None, description="Length of voice or video")
    url: Annotated[str, MaskedText()] | None = Field(default=None, description="What a link or card leads to, masked")
    revision: int = Field(default=0, ge=0, description="0 as first sent, rising with each edit")
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    policy_version: str = Field(
        max_length=128,
        description="Policy and version; +d2 over version 2 of the default, +g1 under a group's own rules, +p private",
        examples=["vip@3+d2+g1"],
    )
    lexicon_version: str = Field(max_length=128, examples=["2026-11-22T08:00:00Z"])
    masked_text: Annotated[str, MaskedText()] = Field(description="Of a very long one, how it begins and ends")
    left_out: int = Field(default=0, ge=0, description="Characters between beginning and end that nobody has judged")
    sent_at: Instant


class MessageScreened(Event):
    """A message was judged."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.message.screened"] = "moderation.message.screened"
    data: Screened

    @classmethod
    def of(cls, data: Screened, *, time: datetime, cause: Event) -> Self:
        """What `about` makes of it, in half the time: there is one for every message."""
        fields = {
            "specversion": "1.0",
            "id": new_id(),
            "source": cls.default_source,
            "type": "moderation.message.screened",
            "time": time,
            "subject": data.group_id,
            "datacontenttype": "application/json",
            "dataschema": None,
            "traceparent": cause.traceparent,
            "data": data,
        }
        return assemble(cls, fields)

    @property
    def written_at(self) -> datetime:
        """When the message was written; a sender whose clock runs ahead wrote it when it was judged."""
        return whole_milliseconds(min(self.data.sent_at, self.time))


class SanctionKind(StrEnum):
    """The rungs of the ladder."""

    WARNING = "warning"
    MUTE = "mute"
    REMOVAL_PROPOSED = "removal_proposed"


class Sanction(Payload):
    """A sanction on a member."""

    sanction_id: Id
    group_id: Id
    member_id: Id
    kind: SanctionKind
    category: RuleName
    rung: int = Field(ge=1)
    message_id: Id | None = None
    until: Instant | None = None


class MemberSanctioned(Event):
    """A member was warned, muted, or proposed for removal."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.member.sanctioned"] = "moderation.member.sanctioned"
    data: Sanction


class LiftedSanction(Payload):
    """A sanction that ended."""

    sanction_id: Id
    group_id: Id
    member_id: Id
    cause: Literal["expired", "reversed"]


class SanctionLifted(Event):
    """A sanction expired or was taken back."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.sanction.lifted"] = "moderation.sanction.lifted"
    data: LiftedSanction


class CaseKind(StrEnum):
    """Why a person has to look at something."""

    REVIEW = "review"
    REMOVAL = "removal"
    REPORT = "report"
    APPEAL = "appeal"
    UNREADABLE = "unreadable"


class CaseOutcome(StrEnum):
    """How a case ended; what upholding means depends on its kind: the finding, the proposal, the sanction stands.

    A proposal to remove somebody that is declined leaves the offence as it is.
    """

    UPHELD = "upheld"
    REVERSED = "reversed"
    RECLASSIFIED = "reclassified"
    DECLINED = "declined"


class OpenedCase(Payload):
    """A question that waits for a person."""

    case_id: Id
    kind: CaseKind
    group_id: Id
    member_id: Id
    message_id: Id
    category: RuleName
    severity: int = Field(ge=1, le=5)
    due_at: Instant


class CaseOpened(Event):
    """Something waits for a person's decision; a case that was closed may be opened again."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.case.opened"] = "moderation.case.opened"
    data: OpenedCase


class ClosedCase(Payload):
    """A question that a person has answered."""

    case_id: Id
    kind: CaseKind
    group_id: Id
    member_id: Id
    message_id: Id
    category: RuleName = Field(description="As decided, which after `reclassified` is another than before")
    outcome: CaseOutcome
    decided_by: str = Field(max_length=128)
    opened_at: Instant


class CaseClosed(Event):
    """A person has decided."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.case.closed"] = "moderation.case.closed"
    data: ClosedCase


class ActivatedPolicy(Payload):
    """A version of a policy that is in force."""

    policy_id: Id
    version: int = Field(ge=1)
    activated_by: str = Field(max_length=300)


class PolicyActivated(Event):
    """A version of a policy came into force; the subject is the policy's id."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.policy.activated"] = "moderation.policy.activated"
    data: ActivatedPolicy


class GivenConsent(Payload):
    """That a member agreed to the rules of a group."""

    group_id: Id
    member_id: Id
    rules_version: str = Field(max_length=64, description="Changes with the words of the rules", examples=["9f86d081"])
    policy_version: str = Field(max_length=128, examples=["default@3"])
    given_by: Literal["reply", "link"] = Field(description="A reply in the group, or a page")


class ConsentGiven(Event):
    """A member agreed to the rules of a group."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.consent.given"] = "moderation.consent.given"
    data: GivenConsent


class GroupMode(StrEnum):
    """Who may write in a group, from everybody to staff alone."""

    NORMAL = "normal"
    QUIET = "quiet"
    LOCKDOWN = "lockdown"


class OpenedIncident(Payload):
    """A crisis, or the drill of one, in one of the groups it is about."""

    incident_id: Id
    group_id: Id
    kind: RuleName = Field(examples=["leak"])
    title: Annotated[str, MaskedText(max_length=100)] = Field(examples=["客户信息泄露"])
    drill: bool = Field(description="A drill: nothing of it happened, and nothing of it reaches the channel")
    mode: GroupMode = Field(default=GroupMode.NORMAL, description="What it asks of the group")
    plan_version: int = Field(ge=0)
    opened_by: str = Field(max_length=300)
    opened_at: Instant


class IncidentOpened(Event):
    """An incident was opened; one event for each of its groups."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.incident.opened"] = "moderation.incident.opened"
    data: OpenedIncident


class ClosedIncident(Payload):
    """A crisis that is over, or a drill, in one of its groups."""

    incident_id: Id
    group_id: Id
    kind: RuleName = Field(examples=["leak"])
    drill: bool
    score: int = Field(ge=0, le=100, description="How well its steps kept to their times")
    closed_by: str = Field(max_length=300)
    opened_at: Instant
    closed_at: Instant


class IncidentClosed(Event):
    """An incident was closed, with a review; one event for each of its groups."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.incident.closed"] = "moderation.incident.closed"
    data: ClosedIncident

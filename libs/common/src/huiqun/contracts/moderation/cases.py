"""Cases: questions that wait for a person's decision."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Instant, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId, MemberId, MessageId
from huiqun.contracts.moderation.messages import Category, RuleName, Severity
from huiqun.contracts.topics import MODERATION_DECISIONS


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

    case_id: Id = Field(description="The case, which keeps its id when it is opened again")
    kind: CaseKind = Field(description="Why a person has to look")
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    member_id: MemberId
    message_id: MessageId
    category: Category
    severity: Severity
    due_at: Instant = Field(description="By when a person should have decided")


class CaseOpened(Event):
    """Something waits for a person's decision; a case that was closed may be opened again."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.case.opened"] = "moderation.case.opened"
    data: OpenedCase


class ClosedCase(Payload):
    """A question that a person has answered."""

    case_id: Id = Field(description="The case, which keeps its id when it is opened again")
    kind: CaseKind = Field(description="Why a person has to look")
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    member_id: MemberId
    message_id: MessageId
    category: RuleName = Field(
        description="The category as decided, which after `reclassified` is another than before", examples=["ads"]
    )
    outcome: CaseOutcome = Field(description="How the case ended")
    decided_by: str = Field(
        max_length=128, description="Who decided the case, by principal id", examples=["key/reviewer-1"]
    )
    opened_at: Instant = Field(description="When the case was opened, the last time if there were several")


class CaseClosed(Event):
    """A person has decided."""

    topic: ClassVar = MODERATION_DECISIONS
    default_source: ClassVar = "huiqun/moderation"
    type: Literal["moderation.case.closed"] = "moderation.case.closed"
    data: ClosedCase

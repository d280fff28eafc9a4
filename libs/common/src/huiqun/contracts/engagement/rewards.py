"""Points, levels, draws and benefits."""

from typing import Annotated, Literal

from pydantic import Field

from huiqun.contracts.engagement.event import EngagementEvent, GroupPayload, MemberPayload
from huiqun.contracts.envelope import Id
from huiqun.contracts.fields import MemberRef
from huiqun.privacy.text import ComparedText, MaskedText

Remark = Annotated[str, MaskedText(max_length=1_000)]


class PointEntry(MemberPayload):
    """Points that a member was given; they are one account over all groups."""

    entry_id: Id = Field(description="The entry in the ledger of points, which is booked once")
    points: int = Field(ge=1, description="How many points were booked")
    reason: Remark = Field(default="", description="What the points were booked for", examples=["attendance"])


class ReversedEntry(MemberPayload):
    """Points that were taken back."""

    entry_id: Id = Field(description="The entry in the ledger of points that takes them back")
    reverses: Id = Field(description="The entry that is taken back, by its id in the ledger", examples=["entry-0"])
    points: int = Field(ge=1, description="How many points were taken back")
    reason: Remark = Field(default="", description="Why the points were taken back", examples=["recalled"])


class ReachedLevel(MemberPayload):
    """The level that a member has reached."""

    level: int = Field(ge=1, description="Which level the member has reached, from 1")
    points: int = Field(ge=0, description="How many points the member had by then")


class CommittedDraw(GroupPayload):
    """A draw whose chance is fixed before anybody knows it."""

    draw_id: Id = Field(description="The draw, by its id in engagement")
    commitment: Id = Field(description="A hash of the secret by which winners are drawn", examples=["9f86d081884c7d65"])


class CompletedDraw(GroupPayload):
    """Who has won a draw."""

    draw_id: Id = Field(description="The draw, by its id in engagement")
    secret: Id = Field(description="What was hashed for the commitment: with it anybody can draw again")
    members: tuple[MemberRef, ...] = Field(max_length=1_000, description="Who has won, in the order of the prizes")


class VoidedDraw(GroupPayload):
    """A draw that does not count."""

    draw_id: Id = Field(description="The draw, by its id in engagement")
    reason: Remark = Field(default="", description="Why the draw does not count", examples=["too few members"])


class Benefit(MemberPayload):
    """Something of worth that a member has been given."""

    benefit_id: Id = Field(description="The benefit, by its id in engagement: each is given once")
    kind: Annotated[str, ComparedText(max_length=64)] = Field(
        description="Kind of benefit, by the catalogue's name", examples=["coupon"]
    )


class PointsAwarded(EngagementEvent):
    """A member was given points."""

    type: Literal["engagement.points.awarded"] = "engagement.points.awarded"
    data: PointEntry


class PointsReversed(EngagementEvent):
    """Points were taken back from a member."""

    type: Literal["engagement.points.reversed"] = "engagement.points.reversed"
    data: ReversedEntry


class LevelReached(EngagementEvent):
    """A member has reached another level."""

    type: Literal["engagement.level.reached"] = "engagement.level.reached"
    data: ReachedLevel


class DrawCommitted(EngagementEvent):
    """The chance of a draw is fixed."""

    type: Literal["engagement.draw.committed"] = "engagement.draw.committed"
    data: CommittedDraw


class DrawCompleted(EngagementEvent):
    """The winners of a draw are known."""

    type: Literal["engagement.draw.completed"] = "engagement.draw.completed"
    data: CompletedDraw


class DrawVoided(EngagementEvent):
    """A draw does not count."""

    type: Literal["engagement.draw.voided"] = "engagement.draw.voided"
    data: VoidedDraw


class BenefitIssued(EngagementEvent):
    """A member was given a benefit."""

    type: Literal["engagement.benefit.issued"] = "engagement.benefit.issued"
    data: Benefit


class BenefitRedeemed(EngagementEvent):
    """A member has used a benefit."""

    type: Literal["engagement.benefit.redeemed"] = "engagement.benefit.redeemed"
    data: Benefit


class BenefitExpired(EngagementEvent):
    """A benefit has not been used in time."""

    type: Literal["engagement.benefit.expired"] = "engagement.benefit.expired"
    data: Benefit


class BenefitRevoked(EngagementEvent):
    """A benefit was taken back."""

    type: Literal["engagement.benefit.revoked"] = "engagement.benefit.revoked"
    data: Benefit

"""What a policy says about people's decisions: how long they may take, and how members ask for one."""

from typing import Annotated

from pydantic import Field

from huiqun.contracts.envelope import Id
from huiqun.privacy.text import ComparedText
from moderation.policies.sections.section import Minutes, PolicySection

ReplyPhrase = Annotated[str, ComparedText(strip_whitespace=True, min_length=1, max_length=32)]


class ReviewRule(PolicySection):
    """How long a case may wait for a person, and how members report messages and appeal against sanctions."""

    target_minutes: tuple[Minutes, Minutes, Minutes, Minutes, Minutes] = Field(
        default=(1440, 480, 240, 60, 15),
        description="Minutes within which a case is to be decided, for severity 1 to 5.",
        examples=[[1440, 480, 240, 60, 15]],
    )
    lease_minutes: int = Field(
        default=15,
        ge=1,
        le=480,
        description="Minutes that a claimed case is held for who has claimed it.",
        examples=[15],
    )
    escalate_to: Id | None = Field(
        default=None,
        description="Staff member who is told when the one who was asked has not acted; null for the group's owner.",
        examples=["staff-lead"],
    )
    report_phrases: tuple[ReplyPhrase, ...] = Field(
        default=("举报",),
        max_length=20,
        description="Beginnings of a reply that report the message replied to.",
        examples=[["举报"]],
    )
    appeal_phrases: tuple[ReplyPhrase, ...] = Field(
        default=("申诉",),
        max_length=20,
        description="Beginnings of a sanctioned member's message that make it an appeal.",
        examples=[["申诉"]],
    )
    reports_per_day: int = Field(
        default=5, ge=0, le=1_000, description="Reports of one member that are looked at in a day.", examples=[5]
    )
    least_trust: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Least share of upheld reports at which one reporter is enough; below, a second is waited for.",
        examples=[0.3],
    )

    @property
    def appeal_phrase(self) -> str:
        """What a member is told to begin an appeal with."""
        return next(iter(self.appeal_phrases), "申诉")

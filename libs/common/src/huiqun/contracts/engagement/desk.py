"""The service desk: questions, complaints, follow-ups, and members who fall silent."""

from typing import Annotated, Literal

from pydantic import Field

from huiqun.contracts.engagement.event import EngagementEvent, MemberPayload
from huiqun.contracts.envelope import Id, Instant
from huiqun.privacy.text import ComparedText, MaskedText

Remark = Annotated[str, MaskedText(max_length=1_000)]


class Activity(MemberPayload):
    """Whether a member takes part in a group."""

    last_active_at: Instant | None = Field(default=None, description="When the member last took part, if ever")


class Question(MemberPayload):
    """A member's question that waits for staff."""

    question_id: Id = Field(description="The question's case at the desk")
    message_id: Id | None = Field(default=None, description="The message with the question, by its id in the group")
    assignee: Id | None = Field(
        default=None, description="The staff member who is to answer, by member id", examples=["staff-1"]
    )
    due_at: Instant | None = Field(default=None, description="By when staff should have answered")


class Rating(MemberPayload):
    """What a member thinks of an answer."""

    question_id: Id = Field(description="The question's case at the desk")
    rating: int = Field(ge=1, le=5, description="How helpful the answer was, from 1 to 5")


class FollowUpAnswer(MemberPayload):
    """What a member says when they are asked how it went."""

    follow_up_id: Id = Field(description="The follow-up, by its id in engagement")
    answer: Remark = Field(default="", description="What the member says, masked", examples=["已经解决，谢谢"])


class Complaint(MemberPayload):
    """A member's complaint."""

    complaint_id: Id = Field(description="The complaint's case at the desk")
    category: Annotated[str, ComparedText(max_length=64)] = Field(
        description="What the complaint is about, by the desk's name", examples=["fees"]
    )


class MemberDormant(EngagementEvent):
    """A member has not taken part for long."""

    type: Literal["engagement.member.dormant"] = "engagement.member.dormant"
    data: Activity


class MemberReturned(EngagementEvent):
    """A member who was dormant takes part again."""

    type: Literal["engagement.member.returned"] = "engagement.member.returned"
    data: Activity


class QuestionOpened(EngagementEvent):
    """A member's question waits for staff."""

    type: Literal["engagement.question.opened"] = "engagement.question.opened"
    data: Question


class QuestionAnswered(EngagementEvent):
    """Staff have answered a question."""

    type: Literal["engagement.question.answered"] = "engagement.question.answered"
    data: Question


class QuestionBreached(EngagementEvent):
    """A question has waited longer than it should."""

    type: Literal["engagement.question.breached"] = "engagement.question.breached"
    data: Question


class QuestionResolved(EngagementEvent):
    """A question is done with."""

    type: Literal["engagement.question.resolved"] = "engagement.question.resolved"
    data: Question


class AnswerRated(EngagementEvent):
    """A member has rated an answer."""

    type: Literal["engagement.answer.rated"] = "engagement.answer.rated"
    data: Rating


class FollowUpAnswered(EngagementEvent):
    """A member has said how it went."""

    type: Literal["engagement.follow_up.answered"] = "engagement.follow_up.answered"
    data: FollowUpAnswer


class ComplaintOpened(EngagementEvent):
    """A member complains."""

    type: Literal["engagement.complaint.opened"] = "engagement.complaint.opened"
    data: Complaint


class ComplaintClosed(EngagementEvent):
    """A complaint is done with."""

    type: Literal["engagement.complaint.closed"] = "engagement.complaint.closed"
    data: Complaint

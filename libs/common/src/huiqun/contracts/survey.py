"""Surveys: who was asked, who answered, and what came of it. Anonymous ones name nobody."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from huiqun.contracts.envelope import Event, Id, Payload
from huiqun.contracts.fields import DEFAULT_CHANNEL, ChannelSource, GroupId, MemberId
from huiqun.contracts.topics import SURVEY_EVENTS
from huiqun.privacy.text import ComparedText, MaskedText

SurveyId = Annotated[Id, Field(description="The survey, by its id in the survey service")]
Figure = Annotated[str, ComparedText(min_length=1, max_length=64)]


class SurveyEvent(Event):
    """An event of survey, which nobody sends yet."""

    topic: ClassVar = SURVEY_EVENTS
    default_source: ClassVar = "huiqun/survey"
    planned: ClassVar = True


class SurveyInGroup(Payload):
    """A survey in one of its groups."""

    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    survey_id: SurveyId


class Invitation(SurveyInGroup):
    """That a member was asked."""

    member_id: MemberId


class Response(SurveyInGroup):
    """That somebody has answered."""

    response_id: Id = Field(description="The response, by its id in the survey service")
    member_id: Id | None = Field(default=None, description="Who answered, by member id; none in an anonymous survey")
    score: float | None = Field(default=None, description="The answer to the question that counts", examples=[9])


class Detractor(Payload):
    """A member who would not recommend us."""

    case_key: Id = Field(description="What the desk's case is made of, so that there is one", examples=["survey-1-m1"])
    channel: ChannelSource = DEFAULT_CHANNEL
    group_id: GroupId
    member_id: MemberId
    score: float = Field(description="The member's answer to the question that counts", examples=[3])
    context: Annotated[str, MaskedText(max_length=1_000)] = Field(
        default="", description="What staff should know before they call, masked", examples=["等待时间太长"]
    )


class PublishedResults(SurveyInGroup):
    """What a survey has found in one of its groups, as far as enough have answered."""

    responses: int = Field(ge=0, description="How many have answered")
    figures: Annotated[dict[Figure, float], Field(max_length=100)] = Field(
        description="The figures by the names of the survey's indicators", examples=[{"nps": 42}]
    )


class CompletedAction(SurveyInGroup):
    """Something that was done because of a survey."""

    improvement_id: Id = Field(description="The improvement, by its id in the survey service")


class InvitationSent(SurveyEvent):
    """A member was asked to answer."""

    type: Literal["survey.invitation.sent"] = "survey.invitation.sent"
    data: Invitation


class ResponseReceived(SurveyEvent):
    """Somebody has answered."""

    type: Literal["survey.response.received"] = "survey.response.received"
    data: Response


class DetractorFound(SurveyEvent):
    """A member would not recommend us: the desk is to call them."""

    type: Literal["survey.detractor.found"] = "survey.detractor.found"
    data: Detractor


class SurveyClosed(SurveyEvent):
    """A survey takes no more answers."""

    type: Literal["survey.closed"] = "survey.closed"
    data: SurveyInGroup


class ResultsPublished(SurveyEvent):
    """The results of a survey are known."""

    type: Literal["survey.results.published"] = "survey.results.published"
    data: PublishedResults


class ImprovementCompleted(SurveyEvent):
    """Something was done because of a survey."""

    type: Literal["survey.action.completed"] = "survey.action.completed"
    data: CompletedAction

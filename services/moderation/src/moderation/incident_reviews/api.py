"""Routes of reviews: close an incident with one, read how well it was met."""

from fastapi import Response
from pydantic import BaseModel, Field

from huiqun.web import Caller, IfMatch, ReadDatabase, Router, WriteOnce
from moderation.groups.handlers import get_group
from moderation.incident_reviews import handlers
from moderation.incident_reviews.handlers import CloseIncidentCommand
from moderation.incident_reviews.model import IncidentReport, StepOutcome, build_incident_report
from moderation.incidents.api import INCIDENT_PROBLEMS, IncidentPath, IncidentView, change_incident
from moderation.incidents.handlers import get_incident
from moderation.incidents.model import Incident, IncidentNotContainedError, IncidentReview
from moderation.plans.handlers import InactivePlanError
from moderation.plans.model import InvalidStepChangeError, OptionalText, PlanStepChange, RequiredText

router = Router(
    "/api/v1/incidents/{incident_id}",
    tag="incidents",
    role="viewer",
    problems={
        **INCIDENT_PROBLEMS,
        IncidentNotContainedError: (409, "not-contained"),
        InvalidStepChangeError: (422, "unfit-change"),
        InactivePlanError: (409, "inactive-plan"),
    },
)


class IncidentReviewBody(BaseModel):
    """What was learnt from an incident, and what is to change in its plan."""

    what_happened: RequiredText = Field(
        description="Account of what happened.", examples=["一名客户误发他人身份证照片。"]
    )
    cause: RequiredText = Field(description="Cause of the incident.", examples=["办理流程要求拍照，未说明发送渠道。"])
    what_to_change: OptionalText = Field(
        default="",
        description="Lesson: what is to be different; it becomes the note of a draft of the plan.",
        examples=["在指引中写明渠道。"],
    )
    step_changes: list[PlanStepChange] = Field(
        default=[], max_length=50, description="Changes of the plan's steps, for the draft."
    )

    def to_command(self) -> CloseIncidentCommand:
        """The same for the use case."""
        review = IncidentReview(self.what_happened, self.cause, self.what_to_change)
        return CloseIncidentCommand(review, tuple(self.step_changes))


class StepScoreView(BaseModel):
    """What a step of an incident earned."""

    key: str = Field(description="Name of the step within the plan.", examples=["verify"])
    title: str = Field(description="Title of the step: what was to be done, in a few words.", examples=["核实情况"])
    owner_role: str = Field(description="Role of the person who had to do the step.", examples=["群主"])
    due_minutes: int = Field(
        description="Minutes from the opening of the incident until the step was due.", examples=[10]
    )
    took_minutes: float | None = Field(
        description="Minutes from the opening until the step was done; null if it was not.", examples=[7.5]
    )
    outcome: StepOutcome = Field(description="Whether the step was done in time, late, or not.", examples=["in_time"])
    points: int = Field(
        description="Points of the step, 0 to 100: less the later it was done, none if it was missed.", examples=[100]
    )


class IncidentReportView(BaseModel):
    """How well an incident or a drill was met."""

    incident_id: str = Field(description="Id of the incident.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    drill: bool = Field(description="Whether the incident was only a drill.", examples=[True])
    score: int = Field(description="Mean of the steps' points, 0 to 100.", examples=[85])
    in_time: int = Field(description="Number of steps that were done in time.", examples=[5])
    late: int = Field(description="Number of steps that were done late.", examples=[1])
    missed: int = Field(description="Number of steps that were not done.", examples=[0])
    minutes_to_contain: float | None = Field(
        description="Minutes from the opening until the incident was contained; null if it is not.", examples=[18.0]
    )
    steps: list[StepScoreView] = Field(description="Scores of the steps, in the plan's order.")
    text: str = Field(description="Report in words, for people.", examples=["演练报告：客户信息泄露（预案 leak@1）"])


@router.post("/closure", summary="Close an incident with a review", response_model=IncidentView)
async def close_incident(
    incident_id: IncidentPath, body: IncidentReviewBody, seen: IfMatch, write: WriteOnce, who: Caller
) -> Response:
    """From contained to closed. What is to change becomes a draft of the plan, which an admin may activate."""
    command = body.to_command()
    return await change_incident(
        write, lambda work: handlers.close_incident(work, incident_id, command, seen.check, who)
    )


@router.get("/report", summary="Read the report on an incident or a drill")
async def read_incident_report(db: ReadDatabase, incident_id: IncidentPath) -> IncidentReportView:
    """How well it was met. Before the closing, a step that is not done yet counts as missed."""
    incident = await get_incident(db, incident_id)
    zone = (await get_group(db, incident.groups[0])).settings.timezone
    return _report_view(incident, build_incident_report(incident, zone))


def _report_view(incident: Incident, report: IncidentReport) -> IncidentReportView:
    return IncidentReportView(
        incident_id=incident.id,
        drill=incident.drill,
        score=report.score,
        in_time=report.count_steps("in_time"),
        late=report.count_steps("late"),
        missed=report.count_steps("missed"),
        minutes_to_contain=report.minutes_to_contain,
        steps=[StepScoreView.model_validate(step, from_attributes=True) for step in report.steps],
        text=report.text,
    )

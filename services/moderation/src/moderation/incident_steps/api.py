"""Routes of the steps of an incident: mark one as done."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, Field

from huiqun.web import Caller, Router, WriteOnce
from moderation.incident_steps import handlers
from moderation.incident_steps.handlers import CompleteStepCommand
from moderation.incidents.api import INCIDENT_PROBLEMS, IncidentPath, IncidentView, change_incident
from moderation.incidents.model import StepDoneError
from moderation.plans.model import OptionalText, StepKey

router = Router(
    "/api/v1/incidents/{incident_id}/steps",
    tag="incidents",
    role="viewer",
    problems={
        **INCIDENT_PROBLEMS,
        StepDoneError: (409, "step-done"),
    },
)

StepPath = Annotated[StepKey, Path(description="Key of the step, its name within the plan.", examples=["verify"])]


class StepCompletionBody(BaseModel):
    """How a step was done."""

    note: OptionalText = Field(default="", description="Note on how the step was done.", examples=["已联系发送人撤回"])
    message: OptionalText | None = Field(
        default=None,
        description="Message that is sent in the groups instead of the plan's; empty to send none.",
        examples=["我们正在核实有关情况。"],
    )


@router.post("/{step}/completion", summary="Complete a step of an incident", response_model=IncidentView)
async def complete_step(
    incident_id: IncidentPath, step: StepPath, body: StepCompletionBody, write: WriteOnce, who: Caller
) -> Response:
    """Sets the mode and sends the message that belong to the step."""
    command = CompleteStepCommand(step, body.note, body.message)
    return await change_incident(write, lambda work: handlers.complete_step(work, incident_id, command, who))

"""Routes of openings: open an incident, or start a drill with or without a script."""

from typing import Self

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.runtime.clock import truncate_to_milliseconds
from huiqun.web import Caller, Router, WriteOnce, WriteResult
from huiqun.work import Work
from moderation.delegations.handlers import NotAuthorisedError
from moderation.incident_openings import handlers
from moderation.incident_openings.handlers import InvalidOpeningError
from moderation.incident_openings.model import OpenIncidentCommand
from moderation.incidents.api import IncidentView, incident_view
from moderation.incidents.model import DrillCue
from moderation.plans.handlers import InactivePlanError
from moderation.plans.model import OptionalText, PlanKind, ShortText, StepKey

router = Router(
    "/api/v1/incidents",
    tag="incidents",
    role="viewer",
    problems={
        InvalidOpeningError: (422, "unfit-opening"),
        InactivePlanError: (409, "inactive-plan"),
        NotAuthorisedError: (403, "not-authorised"),
    },
)


class DrillCueBody(BaseModel):
    """Part of a drill's script."""

    after_minutes: float = Field(
        ge=0,
        le=10_080,
        allow_inf_nan=False,
        description="Minutes from the opening of the drill until the cue.",
        examples=[3.5],
    )
    text: OptionalText = Field(
        default="",
        description="Event that happens at the cue; with a step, the note on it.",
        examples=["客户在群内晒出截图"],
    )
    step: StepKey | None = Field(
        default=None, description="Key of a step that is done at the cue; null for none.", examples=["verify"]
    )
    contains: bool = Field(default=False, description="Whether the cue contains the crisis.", examples=[False])


class IncidentOpeningBody(BaseModel):
    """An incident or a drill to be opened."""

    kind: PlanKind = Field(description="Kind of crisis, which names the plan to follow.", examples=["leak"])
    groups: list[Id] = Field(
        min_length=1, max_length=200, description="Ids of the groups that it is about.", examples=[["group-1"]]
    )
    reason: OptionalText = Field(
        default="",
        description="Reason for the opening: what has happened; the owners of steps are told it.",
        examples=["有客户称收到诈骗电话"],
    )
    owners: dict[ShortText, Id] = Field(
        default={},
        max_length=50,
        description="Member ids of the people who have the plan's roles now, by role.",
        examples=[{"群主": "staff-7"}],
    )
    drill: bool = Field(default=False, description="Whether the incident is only a drill.", examples=[False])
    script: list[DrillCueBody] = Field(
        default=[], max_length=200, description="Script of a drill: its cues, each at its time."
    )
    as_of: Instant | None = Field(
        default=None,
        description="Moment from which a drill is played as if it had begun then: what is due since happens at once.",
        examples=["2026-11-22T06:00:00Z"],
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.drill and (self.script or self.as_of is not None):
            raise ValueError("script and as_of are for drills")
        if len(set(self.groups)) < len(self.groups):
            raise ValueError("a group is named twice")
        return self

    def to_command(self) -> OpenIncidentCommand:
        """The same for the use case."""
        return OpenIncidentCommand(
            kind=self.kind,
            groups=tuple(self.groups),
            reason=self.reason,
            owners=dict(self.owners),
            drill=self.drill,
            cues=tuple(DrillCue(cue.after_minutes, cue.text, cue.step, cue.contains) for cue in self.script),
            as_of=truncate_to_milliseconds(self.as_of) if self.as_of else None,
        )


@router.post("", summary="Open an incident or start a drill", status_code=201, response_model=IncidentView)
async def open_incident(body: IncidentOpeningBody, write: WriteOnce, who: Caller) -> Response:
    """For moderators, and for whom `handle_incidents` is delegated to in all of its groups."""

    async def use_case(work: Work) -> WriteResult:
        incident = await handlers.open_incident(work, body.to_command(), who)
        location = f"/api/v1/incidents/{incident.id}"
        return WriteResult(incident_view(incident), version=incident.revision, location=location)

    return await write(use_case)

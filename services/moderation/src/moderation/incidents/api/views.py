"""What the routes of incidents show and take."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.contracts.moderation import GroupMode
from huiqun.runtime.clock import truncate_to_milliseconds
from moderation.incidents.model.incident import Cue, Incident, Opening, Progress, Review, State
from moderation.incidents.model.plans import Kind, Minutes, StepChange, StepKey, Text, Title, Words
from moderation.incidents.model.scoring import Outcome, Report
from moderation.incidents.model.timeline import Entry, What


class CueBody(BaseModel):
    """Part of a drill's script."""

    after_minutes: float = Field(
        ge=0, le=10_080, allow_inf_nan=False, description="How long after the opening.", examples=[3.5]
    )
    text: Text = Field(
        default="", description="What happens, or the note on the step.", examples=["客户在群内晒出截图"]
    )
    step: StepKey | None = Field(default=None, description="A step that is then done.", examples=["verify"])
    contains: bool = Field(default=False, description="Whether the crisis is then contained.", examples=[False])


class OpeningBody(BaseModel):
    """The incident to be opened."""

    kind: Kind = Field(description="Which plan to follow.", examples=["leak"])
    groups: list[Id] = Field(
        min_length=1, max_length=200, description="Which groups it is about.", examples=[["group-1"]]
    )
    reason: Text = Field(default="", description="What has happened.", examples=["有客户称收到诈骗电话"])
    owners: dict[Title, Id] = Field(
        default={}, max_length=50, description="Who has which role now, by member id.", examples=[{"群主": "staff-7"}]
    )
    drill: bool = Field(default=False, description="Whether it is only a drill.", examples=[False])
    script: list[CueBody] = Field(default=[], max_length=200, description="What happens in a drill, and when.")
    as_of: Instant | None = Field(
        default=None,
        description="Plays a drill as if it had begun then: what is due since happens at once.",
        examples=["2026-11-22T06:00:00Z"],
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.drill and (self.script or self.as_of is not None):
            raise ValueError("script and as_of are for drills")
        if len(set(self.groups)) < len(self.groups):
            raise ValueError("a group is named twice")
        return self

    def opening(self) -> Opening:
        """The same for the handlers."""
        return Opening(
            kind=self.kind,
            groups=tuple(self.groups),
            reason=self.reason,
            owners=dict(self.owners),
            drill=self.drill,
            cues=tuple(Cue(cue.after_minutes, cue.text, cue.step, cue.contains) for cue in self.script),
            as_of=truncate_to_milliseconds(self.as_of) if self.as_of else None,
        )


class CompletionBody(BaseModel):
    """How a step was done."""

    note: Text = Field(default="", description="What came of it.", examples=["已联系发送人撤回"])
    message: Text | None = Field(
        default=None,
        description="What is sent in the groups instead of the plan's message; empty for nothing.",
        examples=["我们正在核实有关情况。"],
    )


class IncidentMode(BaseModel):
    """The mode that the incident asks of its groups."""

    mode: GroupMode = Field(description="Which mode; the normal one lets the groups go.", examples=["lockdown"])
    minutes: Minutes | None = Field(default=None, description="How long; without it, as the plan says.", examples=[60])


class NoteBody(BaseModel):
    """Something worth writing down."""

    text: Words = Field(description="What.", examples=["媒体来电询问，已转品牌部。"])


class ReviewBody(BaseModel):
    """What was learnt."""

    what_happened: Words = Field(description="What happened.", examples=["一名客户误发他人身份证照片。"])
    cause: Words = Field(description="Why.", examples=["办理流程要求拍照，未说明发送渠道。"])
    what_to_change: Text = Field(
        default="",
        description="What is to be different; it becomes the note of a draft.",
        examples=["在指引中写明渠道。"],
    )
    step_changes: list[StepChange] = Field(
        default=[], max_length=50, description="How the plan's steps are to be different, for the draft."
    )

    def review(self) -> Review:
        """The same for the handlers."""
        return Review(self.what_happened, self.cause, self.what_to_change)


class StepView(BaseModel):
    """A step of an incident."""

    key: str = Field(description="Its name within the plan.", examples=["verify"])
    title: str = Field(description="What is to be done.", examples=["核实情况"])
    detail: str = Field(description="How.", examples=["向当事客户了解情况。"])
    owner_role: str = Field(description="Who does it, as a role.", examples=["群主"])
    owner: str | None = Field(description="Who does it, as a member id.", examples=["staff-7"])
    due_at: datetime = Field(description="Until when.", examples=["2026-11-22T08:10:00Z"])
    done_at: datetime | None = Field(description="When it was done.", examples=["2026-11-22T08:07:00Z"])
    done_by: str | None = Field(description="Who said so.", examples=["key:5f2a9c01d4e8b7a3"])
    note: str = Field(description="What came of it.", examples=["已联系发送人撤回"])
    mode: GroupMode | None = Field(description="The mode that comes with it.", examples=["quiet"])
    message: str | None = Field(description="The message that comes with it.", examples=["我们正在核实。"])


class ReviewView(BaseModel):
    """What was learnt."""

    what_happened: str = Field(description="What happened.", examples=["一名客户误发他人身份证照片。"])
    cause: str = Field(description="Why.", examples=["办理流程要求拍照，未说明发送渠道。"])
    what_to_change: str = Field(description="What is to be different.", examples=["在指引中写明渠道。"])


class IncidentView(BaseModel):
    """A crisis or a drill."""

    id: str = Field(description="The incident's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    kind: str = Field(description="The kind of crisis.", examples=["leak"])
    title: str = Field(description="What it is called.", examples=["客户信息泄露"])
    plan_version: int = Field(description="The version of the plan it follows.", examples=[1])
    groups: list[str] = Field(description="Which groups it is about.", examples=[["group-1"]])
    reason: str = Field(description="What had happened.", examples=["有客户称收到诈骗电话"])
    drill: bool = Field(description="Whether it is only a drill.", examples=[False])
    state: State = Field(description="How far it is.", examples=["open"])
    mode: GroupMode = Field(description="What it asks of its groups now.", examples=["quiet"])
    mode_until: datetime | None = Field(description="Until when.", examples=["2026-11-22T12:00:00Z"])
    opened_by: str = Field(description="Who opened it.", examples=["key:5f2a9c01d4e8b7a3"])
    opened_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    contained_at: datetime | None = Field(description="When it spread no more.", examples=["2026-11-22T08:30:00Z"])
    closed_at: datetime | None = Field(description="When it was closed.", examples=["2026-11-22T12:00:00Z"])
    closed_by: str | None = Field(description="Who closed it.", examples=["key:5f2a9c01d4e8b7a3"])
    steps: list[StepView] = Field(description="What is to be done.")
    review: ReviewView | None = Field(description="What was learnt, once it is closed.")
    score: int | None = Field(description="How well the steps kept to their times, 0 to 100.", examples=[85])
    draft_version: int | None = Field(description="The version of the plan that its review wrote.", examples=[2])
    revision: int = Field(description="Rises with every change; it is the ETag, too.", examples=[4])


class EntryView(BaseModel):
    """Something that happened in an incident."""

    id: str = Field(description="The entry's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    actor: str = Field(description="Who did it.", examples=["key:5f2a9c01d4e8b7a3"])
    what: What = Field(description="What kind of thing it was.", examples=["step_done"])
    text: str = Field(description="What.", examples=["核实情况：已截图"])
    step: str | None = Field(description="Which step it is about.", examples=["verify"])
    actions: list[str] = Field(description="What was asked of the channel, by id.", examples=[["0192f3c1-7b5e"]])


class StepScoreView(BaseModel):
    """What a step earned."""

    key: str = Field(description="Its name within the plan.", examples=["verify"])
    title: str = Field(description="What was to be done.", examples=["核实情况"])
    owner_role: str = Field(description="By whom.", examples=["群主"])
    due_minutes: int = Field(description="Within how many minutes.", examples=[10])
    took_minutes: float | None = Field(description="How many it took; null if it was never done.", examples=[7.5])
    outcome: Outcome = Field(description="How that is.", examples=["in_time"])
    points: int = Field(description="From 0 to 100; late steps lose, missed ones have none.", examples=[100])


class ReportView(BaseModel):
    """How well an incident was met."""

    incident_id: str = Field(description="The incident's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    drill: bool = Field(description="Whether it was only a drill.", examples=[True])
    score: int = Field(description="The mean of the steps' points, 0 to 100.", examples=[85])
    in_time: int = Field(description="Steps that were done in time.", examples=[5])
    late: int = Field(description="Steps that were done late.", examples=[1])
    missed: int = Field(description="Steps that were not done.", examples=[0])
    minutes_to_contain: float | None = Field(description="How long until it spread no more.", examples=[18.0])
    steps: list[StepScoreView] = Field(description="What each step earned.")
    text: str = Field(description="The same in words, for people.", examples=["演练报告：客户信息泄露（预案 leak@1）"])


def view_of(incident: Incident) -> IncidentView:
    """What is shown of an incident."""
    fields = {name: getattr(incident, name) for name in IncidentView.model_fields if name not in _OTHERWISE}
    review = incident.review
    return IncidentView(
        **fields,
        title=incident.plan.title,
        steps=[_step(progress) for progress in incident.steps],
        review=ReviewView.model_validate(review, from_attributes=True) if review else None,
    )


_OTHERWISE = {"title", "steps", "review"}


def _step(progress: Progress) -> StepView:
    step = progress.step
    return StepView(
        key=step.key,
        title=step.title,
        detail=step.detail,
        owner_role=step.owner_role,
        owner=progress.owner,
        due_at=progress.due_at,
        done_at=progress.done_at,
        done_by=progress.done_by,
        note=progress.note,
        mode=step.mode,
        message=step.message,
    )


def entry_of(entry: Entry) -> EntryView:
    """What is shown of an entry."""
    return EntryView.model_validate(entry, from_attributes=True)


def report_view(incident: Incident, report: Report) -> ReportView:
    """What is shown of a report."""
    return ReportView(
        incident_id=incident.id,
        drill=incident.drill,
        score=report.score,
        in_time=report.count("in_time"),
        late=report.count("late"),
        missed=report.count("missed"),
        minutes_to_contain=report.minutes_to_contain,
        steps=[StepScoreView.model_validate(step, from_attributes=True) for step in report.steps],
        text=report.text,
    )

"""Routes of incidents: list and read them, set their mode, contain them, read and write their timelines."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Final, cast

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.contracts.moderation import GroupMode
from huiqun.web import Caller, IfMatch, Page, Paging, ReadDatabase, Router, WriteOnce, WriteResult, set_etag
from huiqun.web.problems import Problems
from huiqun.work import Work
from moderation.delegations.handlers import NotAuthorisedError
from moderation.incidents import handlers, store
from moderation.incidents.model import (
    Incident,
    IncidentClosedError,
    IncidentNotOpenError,
    IncidentState,
    StepProgress,
    TimelineEntry,
    TimelineEntryKind,
)
from moderation.incidents.store import IncidentCriteria
from moderation.modes.model import ModeMinutes
from moderation.plans.model import PlanKind, RequiredText

#: What goes wrong with any change of an incident.
INCIDENT_PROBLEMS: Final[Problems] = {
    NotAuthorisedError: (403, "not-authorised"),
    IncidentClosedError: (409, "incident-closed"),
}
router = Router(
    "/api/v1/incidents",
    tag="incidents",
    role="viewer",
    problems={**INCIDENT_PROBLEMS, IncidentNotOpenError: (409, "not-open")},
)

IncidentPath = Annotated[Id, Path(description="Id of the incident.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])]


class IncidentStepView(BaseModel):
    """A step of an incident: who does it until when, and what came of it."""

    key: str = Field(description="Name of the step within the plan.", examples=["verify"])
    title: str = Field(description="Title of the step: what is to be done, in a few words.", examples=["核实情况"])
    detail: str = Field(description="Instructions for the step: how it is done.", examples=["向当事客户了解情况。"])
    owner_role: str = Field(description="Role of the person who does the step.", examples=["群主"])
    owner: str | None = Field(
        description="Member id of the person who does the step; null where nobody is known.", examples=["staff-7"]
    )
    due_at: datetime = Field(description="Moment at which the step is due.", examples=["2026-11-22T08:10:00Z"])
    done_at: datetime | None = Field(
        description="Moment at which the step was done; null if it was not.", examples=["2026-11-22T08:07:00Z"]
    )
    done_by: str | None = Field(
        description="Principal who marked the step as done; null if nobody did.", examples=["key:5f2a9c01d4e8b7a3"]
    )
    note: str = Field(description="Note on how the step was done.", examples=["已联系发送人撤回"])
    mode: GroupMode | None = Field(
        description="Mode that the groups enter when the step is done; null for no change.", examples=["quiet"]
    )
    message: str | None = Field(
        description="Message that the plan sends in the groups when the step is done; null for none.",
        examples=["我们正在核实。"],
    )


class IncidentReviewView(BaseModel):
    """What was learnt from an incident."""

    what_happened: str = Field(description="Account of what happened.", examples=["一名客户误发他人身份证照片。"])
    cause: str = Field(description="Cause of the incident.", examples=["办理流程要求拍照，未说明发送渠道。"])
    what_to_change: str = Field(
        description="Lesson: what is to be different; it is the note of a draft of the plan.",
        examples=["在指引中写明渠道。"],
    )


class IncidentView(BaseModel):
    """A crisis or a drill."""

    id: str = Field(description="Id of the incident.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    kind: str = Field(description="Kind of crisis, which names the plan.", examples=["leak"])
    title: str = Field(description="Name of the crisis, for people.", examples=["客户信息泄露"])
    plan_version: int = Field(description="Number of the plan's version that the incident follows.", examples=[1])
    groups: list[str] = Field(description="Ids of the groups that the incident is about.", examples=[["group-1"]])
    reason: str = Field(description="Reason for the opening: what had happened.", examples=["有客户称收到诈骗电话"])
    drill: bool = Field(description="Whether the incident is only a drill.", examples=[False])
    state: IncidentState = Field(description="State of the incident.", examples=["open"])
    mode: GroupMode = Field(description="Mode that the incident asks of its groups now.", examples=["quiet"])
    mode_until: datetime | None = Field(
        description="Moment the mode ends by itself; null for the normal mode.",
        examples=["2026-11-22T12:00:00Z"],
    )
    opened_by: str = Field(description="Principal who opened the incident.", examples=["key:5f2a9c01d4e8b7a3"])
    opened_at: datetime = Field(
        description="Moment at which the incident was opened.", examples=["2026-11-22T08:00:00Z"]
    )
    contained_at: datetime | None = Field(
        description="Moment at which the incident was contained; null if it is not.", examples=["2026-11-22T08:30:00Z"]
    )
    closed_at: datetime | None = Field(
        description="Moment at which the incident was closed; null if it is not.", examples=["2026-11-22T12:00:00Z"]
    )
    closed_by: str | None = Field(
        description="Principal who closed the incident; null if nobody did.", examples=["key:5f2a9c01d4e8b7a3"]
    )
    steps: list[IncidentStepView] = Field(description="Steps of the incident, in the plan's order.")
    review: IncidentReviewView | None = Field(description="Review that the incident was closed with; null until then.")
    score: int | None = Field(
        description="Mean of the steps' points, 0 to 100; null until the incident is closed.", examples=[85]
    )
    draft_version: int | None = Field(
        description="Number of the plan's version that the review wrote as a draft; null for none.", examples=[2]
    )
    revision: int = Field(description="Revision of the incident, which is its ETag.", examples=[4])


class TimelineEntryView(BaseModel):
    """Something that happened in an incident."""

    id: str = Field(description="Id of the entry.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])
    at: datetime = Field(description="Moment of the entry.", examples=["2026-11-22T08:00:00Z"])
    actor: str = Field(
        description="Principal who acted; `moderation` or `script` where no person did.",
        examples=["key:5f2a9c01d4e8b7a3"],
    )
    what: TimelineEntryKind = Field(description="Kind of the entry.", examples=["step_done"])
    text: str = Field(description="Text of the entry: what happened.", examples=["核实情况：已截图"])
    step: str | None = Field(description="Key of the step that the entry is about; null for none.", examples=["verify"])
    actions: list[str] = Field(
        description="Ids of the actions that the channel was asked for, or in a drill would have been.",
        examples=[["0192f3c1-7b5e"]],
    )


class IncidentModeBody(BaseModel):
    """The mode that an incident is to ask of its groups."""

    mode: GroupMode = Field(
        description="Mode that the groups are to enter; the normal one lets them go.", examples=["lockdown"]
    )
    minutes: ModeMinutes | None = Field(
        default=None, description="Minutes that the mode lasts; without it, as long as the plan says.", examples=[60]
    )


class TimelineNoteBody(BaseModel):
    """A note for the timeline of an incident."""

    text: RequiredText = Field(description="Text of the note.", examples=["媒体来电询问，已转品牌部。"])


def incident_criteria(
    state: Annotated[
        IncidentState | None, Query(description="List only incidents in this state.", examples=["open"])
    ] = None,
    group_id: Annotated[
        Id | None, Query(description="List only incidents about this group.", examples=["group-1"])
    ] = None,
    kind: Annotated[PlanKind | None, Query(description="List only incidents of this kind.", examples=["leak"])] = None,
    drill: Annotated[
        bool | None, Query(description="List only drills, or only incidents that are none.", examples=[False])
    ] = None,
) -> IncidentCriteria:
    """What the query asks for."""
    return IncidentCriteria(state, group_id, kind, drill)


async def change_incident(write: WriteOnce, use_case: Callable[[Work], Awaitable[Incident]]) -> Response:
    """Answer a change with the incident as it is now."""

    async def answered(work: Work) -> WriteResult:
        incident = await use_case(work)
        return WriteResult(incident_view(incident), version=incident.revision)

    return await write(answered)


@router.get("", summary="List incidents and drills")
async def list_incidents(
    db: ReadDatabase, paging: Paging, criteria: Annotated[IncidentCriteria, Depends(incident_criteria)]
) -> Page[IncidentView]:
    """Newest first."""
    found = await store.list_incidents(db, criteria, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda incident: (incident.id,), incident_view)


@router.get("/{incident_id}", summary="Read an incident and its steps")
async def read_incident(db: ReadDatabase, incident_id: IncidentPath, response: Response) -> IncidentView:
    """The ETag is what containing and closing need as If-Match."""
    incident = await handlers.get_incident(db, incident_id)
    set_etag(response, incident.revision)
    return incident_view(incident)


@router.post("/{incident_id}/mode", summary="Set the mode of an incident's groups", response_model=IncidentView)
async def set_incident_mode(
    incident_id: IncidentPath, body: IncidentModeBody, write: WriteOnce, who: Caller
) -> Response:
    """A group that is held by several is in the severest of their modes."""
    return await change_incident(
        write, lambda work: handlers.set_incident_mode(work, incident_id, body.mode, body.minutes, who)
    )


@router.post("/{incident_id}/containment", summary="Contain an incident", response_model=IncidentView)
async def contain_incident(incident_id: IncidentPath, seen: IfMatch, write: WriteOnce, who: Caller) -> Response:
    """Say that it spreads no more: an open incident is contained from then on."""
    return await change_incident(write, lambda work: handlers.contain_incident(work, incident_id, seen.check, who))


@router.get("/{incident_id}/timeline", summary="List the timeline of an incident")
async def list_timeline(db: ReadDatabase, incident_id: IncidentPath, paging: Paging) -> Page[TimelineEntryView]:
    """What happened, in the order it happened."""
    await handlers.get_incident(db, incident_id)
    after = cast("tuple[datetime, str] | None", paging.after(datetime, str))
    found = await store.list_timeline_entries(db, incident_id, after, paging.limit + 1)
    return paging.page(found, lambda entry: (entry.at, entry.id), _timeline_entry_view)


@router.post(
    "/{incident_id}/timeline",
    summary="Add a note to the timeline of an incident",
    status_code=201,
    response_model=IncidentView,
)
async def add_timeline_note(
    incident_id: IncidentPath, body: TimelineNoteBody, write: WriteOnce, who: Caller
) -> Response:
    """Also after the closing."""
    return await change_incident(write, lambda work: handlers.add_timeline_note(work, incident_id, body.text, who))


def incident_view(incident: Incident) -> IncidentView:
    """What is shown of an incident."""
    fields = {name: getattr(incident, name) for name in IncidentView.model_fields if name not in _MADE_HERE}
    review = incident.review
    return IncidentView(
        **fields,
        title=incident.plan.title,
        steps=[_step_view(progress) for progress in incident.steps],
        review=IncidentReviewView.model_validate(review, from_attributes=True) if review else None,
    )


_MADE_HERE: Final = frozenset({"title", "steps", "review"})


def _step_view(progress: StepProgress) -> IncidentStepView:
    step = progress.step
    return IncidentStepView(
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


def _timeline_entry_view(entry: TimelineEntry) -> TimelineEntryView:
    return TimelineEntryView.model_validate(entry, from_attributes=True)

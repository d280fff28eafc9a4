"""Incidents and drills: open them, do their steps, contain and close them, read what happened."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Response

from huiqun.contracts.envelope import Id
from huiqun.web import Caller, IfMatch, Page, Paging, ReadDatabase, Router, WriteOnce, WriteResult, set_etag
from huiqun.work import Work
from moderation.incidents.api import views
from moderation.incidents.handlers import incidents as handlers
from moderation.incidents.handlers.authority import NotAuthorisedError
from moderation.incidents.handlers.incidents import Closing, Done, UnfitOpeningError, UnknownIncidentError
from moderation.incidents.handlers.plans import InactivePlanError
from moderation.incidents.model.incident import (
    Incident,
    IncidentClosedError,
    NotContainedError,
    NotOpenError,
    State,
    StepDoneError,
    UnknownStepError,
)
from moderation.incidents.model.plans import Kind, StepKey, UnfitChangeError
from moderation.incidents.model.scoring import report_of
from moderation.incidents.store import incidents as store
from moderation.incidents.store.incidents import Search
from moderation.policies.handlers import find_group

router = Router(
    "/api/v1/incidents",
    tag="incidents",
    role="viewer",
    problems={
        UnknownIncidentError: (404, "unknown-incident"),
        UnknownStepError: (404, "unknown-step"),
        UnfitOpeningError: (422, "unfit-opening"),
        InactivePlanError: (409, "inactive-plan"),
        NotAuthorisedError: (403, "not-authorised"),
        NotOpenError: (409, "not-open"),
        NotContainedError: (409, "not-contained"),
        StepDoneError: (409, "step-done"),
        IncidentClosedError: (409, "incident-closed"),
        UnfitChangeError: (422, "unfit-change"),
    },
)

IncidentPath = Annotated[Id, Path(description="The incident's id.", examples=["0192f3c1-7b5e-7abc-8def-0123456789ab"])]
StepPath = Annotated[StepKey, Path(description="The step's name within the plan.", examples=["verify"])]


def search_for(
    state: Annotated[State | None, Query(description="Only in this state.", examples=["open"])] = None,
    group_id: Annotated[Id | None, Query(description="Only about this group.", examples=["group-1"])] = None,
    kind: Annotated[Kind | None, Query(description="Only of this kind.", examples=["leak"])] = None,
    drill: Annotated[bool | None, Query(description="Only drills, or none.", examples=[False])] = None,
) -> Search:
    """What the query asks for."""
    return Search(state, group_id, kind, drill)


async def _changed(write: WriteOnce, use_case: Callable[[Work], Awaitable[Incident]]) -> Response:
    """Answer a change with the incident as it is now."""

    async def answered(work: Work) -> WriteResult:
        incident = await use_case(work)
        return WriteResult(views.view_of(incident), version=incident.revision)

    return await write(answered)


@router.get("", summary="List incidents and drills")
async def list_incidents(
    db: ReadDatabase, paging: Paging, wanted: Annotated[Search, Depends(search_for)]
) -> Page[views.IncidentView]:
    """Newest first."""
    found = await store.newest(db, wanted, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda incident: (incident.id,), views.view_of)


@router.post("", summary="Open an incident, or start a drill", status_code=201, response_model=views.IncidentView)
async def open_incident(body: views.OpeningBody, write: WriteOnce, who: Caller) -> Response:
    """For moderators, and for whom `handle_incidents` is delegated to in all of its groups."""

    async def use_case(work: Work) -> WriteResult:
        incident = await handlers.open_incident(work, body.opening(), who)
        location = f"/api/v1/incidents/{incident.id}"
        return WriteResult(views.view_of(incident), version=incident.revision, location=location)

    return await write(use_case)


@router.get("/{incident_id}", summary="Read an incident and its steps")
async def read_incident(db: ReadDatabase, incident_id: IncidentPath, response: Response) -> views.IncidentView:
    """The ETag is what containing and closing need as If-Match."""
    incident = await handlers.find_incident(db, incident_id)
    set_etag(response, incident.revision)
    return views.view_of(incident)


@router.post("/{incident_id}/steps/{step}/completion", summary="Mark a step as done", response_model=views.IncidentView)
async def complete_step(
    incident_id: IncidentPath, step: StepPath, body: views.CompletionBody, write: WriteOnce, who: Caller
) -> Response:
    """Sets the mode and sends the message that belong to the step."""
    done = Done(step, body.note, body.message)
    return await _changed(write, lambda work: handlers.complete_step(work, incident_id, done, who))


@router.post("/{incident_id}/mode", summary="Ask another mode of the groups", response_model=views.IncidentView)
async def set_mode(incident_id: IncidentPath, body: views.IncidentMode, write: WriteOnce, who: Caller) -> Response:
    """A group that is held by several is in the severest of their modes."""
    return await _changed(write, lambda work: handlers.set_mode(work, incident_id, body.mode, body.minutes, who))


@router.post("/{incident_id}/containment", summary="Say that it spreads no more", response_model=views.IncidentView)
async def contain(incident_id: IncidentPath, seen: IfMatch, write: WriteOnce, who: Caller) -> Response:
    """From open to contained."""
    return await _changed(write, lambda work: handlers.contain(work, incident_id, seen.check, who))


@router.post("/{incident_id}/closure", summary="Close an incident with a review", response_model=views.IncidentView)
async def close(
    incident_id: IncidentPath, body: views.ReviewBody, seen: IfMatch, write: WriteOnce, who: Caller
) -> Response:
    """From contained to closed. What is to change becomes a draft of the plan, which an admin may activate."""
    closing = Closing(body.review(), tuple(body.step_changes))
    return await _changed(write, lambda work: handlers.close(work, incident_id, closing, seen.check, who))


@router.get("/{incident_id}/timeline", summary="Read what happened in an incident")
async def read_timeline(db: ReadDatabase, incident_id: IncidentPath, paging: Paging) -> Page[views.EntryView]:
    """In the order it happened."""
    await handlers.find_incident(db, incident_id)
    after = cast("tuple[datetime, str] | None", paging.after(datetime, str))
    found = await store.timeline(db, incident_id, after, paging.limit + 1)
    return paging.page(found, lambda entry: (entry.at, entry.id), views.entry_of)


@router.post(
    "/{incident_id}/timeline", summary="Write something down", status_code=201, response_model=views.IncidentView
)
async def add_note(incident_id: IncidentPath, body: views.NoteBody, write: WriteOnce, who: Caller) -> Response:
    """Also after the closing."""
    return await _changed(write, lambda work: handlers.add_note(work, incident_id, body.text, who))


@router.get("/{incident_id}/report", summary="Read how well an incident or a drill was met")
async def read_report(db: ReadDatabase, incident_id: IncidentPath) -> views.ReportView:
    """Before the closing, a step that is not done yet counts as missed."""
    incident = await handlers.find_incident(db, incident_id)
    zone = (await find_group(db, incident.groups[0])).settings.timezone
    return views.report_view(incident, report_of(incident, zone))

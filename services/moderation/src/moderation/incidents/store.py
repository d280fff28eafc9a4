"""Incidents and their timelines in MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.contracts.moderation import GroupMode
from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.incidents.model import (
    DrillCue,
    Incident,
    IncidentReview,
    IncidentState,
    StepProgress,
    TimelineEntry,
    TimelineEntryKind,
)
from moderation.plans.model import IncidentPlan, PlanStep

INCIDENTS: Final = "incidents"
TIMELINE: Final = "incident_timeline"
_RETENTION: Final = timedelta(days=1_827)  # five years
INCIDENT_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    INCIDENTS: (
        # Ids rise with time.
        Index((("state", 1), ("_id", -1))),
        Index((("groups", 1), ("_id", -1))),
        Index((("closed_at", 1),), expires_after=_RETENTION),
    ),
    TIMELINE: (Index((("incident_id", 1), ("at", 1), ("_id", 1))), Index((("at", 1),), expires_after=_RETENTION)),
}


@dataclass(frozen=True, slots=True)
class IncidentCriteria:
    """Which incidents are wanted; what is None does not matter."""

    state: IncidentState | None = None
    group_id: str | None = None
    kind: str | None = None
    drill: bool | None = None


async def add_incident(work: Work, incident: Incident) -> None:
    """Keep a new incident."""
    await work.collection(INCIDENTS).insert_one(_document_of_incident(incident))


async def save_incident(work: Work, incident: Incident) -> None:
    """Write an incident back; its revision rises."""
    incident.revision += 1
    await work.collection(INCIDENTS).replace_one({"_id": incident.id}, _document_of_incident(incident))


async def find_incident(reader: Reader, incident_id: str) -> Incident | None:
    """The incident of this id, None if there is none."""
    document = await reader.collection(INCIDENTS).find_one({"_id": incident_id})
    return _incident_from_document(document) if document else None


async def list_incidents(reader: Reader, criteria: IncidentCriteria, before: str | None, limit: int) -> list[Incident]:
    """Incidents, newest first, before the given id."""
    query: dict[str, Any] = {
        "state": criteria.state.value if criteria.state else None,
        "groups": criteria.group_id,
        "kind": criteria.kind,
        "drill": criteria.drill,
        "_id": {"$lt": before} if before else None,
    }
    query = {name: value for name, value in query.items() if value is not None}
    return [
        _incident_from_document(document)
        async for document in reader.collection(INCIDENTS).find(query).sort("_id", -1).limit(limit)
    ]


async def list_groups_with_open_incident(work: Work, kind: str) -> set[str]:
    """The groups in which an incident of this kind, and no drill, is not closed yet."""
    query = {"state": {"$ne": IncidentState.CLOSED.value}, "kind": kind, "drill": False}
    cursor = work.collection(INCIDENTS).find(query, {"groups": 1})
    return {group_id async for document in cursor for group_id in document["groups"]}


async def add_timeline_entries(work: Work, entries: Sequence[TimelineEntry]) -> None:
    """Add to timelines."""
    if entries:
        documents = [
            {
                "_id": entry.id,
                "incident_id": entry.incident_id,
                "at": entry.at,
                "actor": entry.actor,
                "what": entry.what.value,
                "text": entry.text,
                "step": entry.step,
                "actions": list(entry.actions),
            }
            for entry in entries
        ]
        await work.collection(TIMELINE).insert_many(documents)


async def list_timeline_entries(
    reader: Reader, incident_id: str, after: tuple[datetime, str] | None, limit: int
) -> list[TimelineEntry]:
    """What happened in an incident in the order it happened, after the entry of this moment and id."""
    query: dict[str, Any] = {"incident_id": incident_id}
    if after is not None:
        moment, entry_id = after
        query["$or"] = [{"at": {"$gt": moment}}, {"at": moment, "_id": {"$gt": entry_id}}]
    cursor = reader.collection(TIMELINE).find(query).sort([("at", 1), ("_id", 1)]).limit(limit)
    return [_entry_from_document(document) async for document in cursor]


def _document_of_incident(incident: Incident) -> dict[str, Any]:
    return {
        "_id": incident.id,
        "kind": incident.kind,
        "plan": incident.plan.model_dump(mode="json"),
        "plan_version": incident.plan_version,
        "groups": list(incident.groups),
        "reason": incident.reason,
        "drill": incident.drill,
        "opened_by": incident.opened_by,
        "opened_at": incident.opened_at,
        "steps": [
            {
                "step": progress.step.model_dump(mode="json"),
                "owner": progress.owner,
                "due_at": progress.due_at,
                "done_at": progress.done_at,
                "done_by": progress.done_by,
                "note": progress.note,
            }
            for progress in incident.steps
        ],
        "escalate_to": incident.escalate_to,
        "cues": [asdict(cue) for cue in incident.cues],
        "state": incident.state.value,
        "mode": incident.mode.value,
        "mode_until": incident.mode_until,
        "contained_at": incident.contained_at,
        "closed_at": incident.closed_at,
        "closed_by": incident.closed_by,
        "review": asdict(incident.review) if incident.review else None,
        "score": incident.score,
        "draft_version": incident.draft_version,
        "revision": incident.revision,
    }


def _incident_from_document(document: Mapping[str, Any]) -> Incident:
    fields = {name: value for name, value in document.items() if name != "_id"}
    read: dict[str, Any] = {
        "id": document["_id"],
        "plan": IncidentPlan(**document["plan"]),
        "groups": tuple(document["groups"]),
        "steps": [StepProgress(**{**progress, "step": PlanStep(**progress["step"])}) for progress in document["steps"]],
        "cues": tuple(DrillCue(**cue) for cue in document["cues"]),
        "state": IncidentState(document["state"]),
        "mode": GroupMode(document["mode"]),
        "review": IncidentReview(**document["review"]) if document["review"] else None,
    }
    return Incident(**{**fields, **read})


def _entry_from_document(document: Mapping[str, Any]) -> TimelineEntry:
    fields = {name: value for name, value in document.items() if name != "_id"}
    given = {"what": TimelineEntryKind(document["what"]), "actions": tuple(document["actions"])}
    return TimelineEntry(id=document["_id"], **{**fields, **given})

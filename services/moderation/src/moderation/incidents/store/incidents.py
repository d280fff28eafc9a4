"""Incidents and their timelines in MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from huiqun.contracts.moderation import GroupMode
from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.incidents.model.incident import Cue, Incident, Progress, Review, State
from moderation.incidents.model.plans import Plan, Step
from moderation.incidents.model.timeline import Entry, What

INCIDENTS = "incidents"
TIMELINE = "incident_timeline"
PROPOSALS = "incident_proposals"
_KEPT = timedelta(days=1_827)  # five years
INDEXES: Mapping[str, Sequence[Index]] = {
    INCIDENTS: (
        # Ids rise with time.
        Index((("state", 1), ("_id", -1))),
        Index((("groups", 1), ("_id", -1))),
        Index((("closed_at", 1),), expires_after=_KEPT),
    ),
    TIMELINE: (Index((("incident_id", 1), ("at", 1), ("_id", 1))), Index((("at", 1),), expires_after=_KEPT)),
    PROPOSALS: (Index((("at", 1),), expires_after=timedelta(days=1)),),
}


@dataclass(frozen=True, slots=True)
class Search:
    """Which incidents are wanted; what is None does not matter."""

    state: State | None = None
    group_id: str | None = None
    kind: str | None = None
    drill: bool | None = None


async def add(work: Work, incident: Incident) -> None:
    """Keep a new incident."""
    await work.collection(INCIDENTS).insert_one(_document(incident))


async def save(work: Work, incident: Incident) -> None:
    """Write an incident back; its revision rises."""
    incident.revision += 1
    await work.collection(INCIDENTS).replace_one({"_id": incident.id}, _document(incident))


async def find(reader: Reader, incident_id: str) -> Incident | None:
    """The incident of this id."""
    document = await reader.collection(INCIDENTS).find_one({"_id": incident_id})
    return _incident(document) if document else None


async def newest(reader: Reader, wanted: Search, before: str | None, limit: int) -> list[Incident]:
    """Incidents, newest first, before the given id."""
    query: dict[str, Any] = {
        "state": wanted.state.value if wanted.state else None,
        "groups": wanted.group_id,
        "kind": wanted.kind,
        "drill": wanted.drill,
        "_id": {"$lt": before} if before else None,
    }
    query = {name: value for name, value in query.items() if value is not None}
    return [
        _incident(document) async for document in reader.collection(INCIDENTS).find(query).sort("_id", -1).limit(limit)
    ]


async def groups_in(work: Work, kind: str) -> set[str]:
    """The groups in which an incident of this kind, and no drill, is not closed yet."""
    query = {"state": {"$ne": State.CLOSED.value}, "kind": kind, "drill": False}
    cursor = work.collection(INCIDENTS).find(query, {"groups": 1})
    return {group_id async for document in cursor for group_id in document["groups"]}


async def record(work: Work, entries: Sequence[Entry]) -> None:
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


async def timeline(reader: Reader, incident_id: str, after: tuple[datetime, str] | None, limit: int) -> list[Entry]:
    """What happened in an incident in the order it happened, after the entry of this moment and id."""
    query: dict[str, Any] = {"incident_id": incident_id}
    if after is not None:
        moment, entry_id = after
        query["$or"] = [{"at": {"$gt": moment}}, {"at": moment, "_id": {"$gt": entry_id}}]
    cursor = reader.collection(TIMELINE).find(query).sort([("at", 1), ("_id", 1)]).limit(limit)
    return [_entry(document) async for document in cursor]


async def proposed_since(work: Work, key: str, moment: datetime) -> bool:
    """Whether this has been proposed since then."""
    query = {"_id": key, "at": {"$gte": moment}}
    return await work.collection(PROPOSALS).find_one(query) is not None


async def note_proposal(work: Work, key: str) -> None:
    """Remember that this was proposed now."""
    change = {"$set": {"at": work.now}}
    await work.collection(PROPOSALS).update_one({"_id": key}, change, upsert=True)


def _document(incident: Incident) -> dict[str, Any]:
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


def _incident(document: Mapping[str, Any]) -> Incident:
    fields = {name: value for name, value in document.items() if name != "_id"}
    read: dict[str, Any] = {
        "id": document["_id"],
        "plan": Plan(**document["plan"]),
        "groups": tuple(document["groups"]),
        "steps": [Progress(**{**progress, "step": Step(**progress["step"])}) for progress in document["steps"]],
        "cues": tuple(Cue(**cue) for cue in document["cues"]),
        "state": State(document["state"]),
        "mode": GroupMode(document["mode"]),
        "review": Review(**document["review"]) if document["review"] else None,
    }
    return Incident(**{**fields, **read})


def _entry(document: Mapping[str, Any]) -> Entry:
    fields = {name: value for name, value in document.items() if name != "_id"}
    given = {"what": What(document["what"]), "actions": tuple(document["actions"])}
    return Entry(id=document["_id"], **{**fields, **given})

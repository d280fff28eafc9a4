"""Cases in MongoDB: opened in bulk, changed one by one, listed as a queue."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from huiqun.contracts.moderation import CaseKind
from huiqun.store import Index, Reader, UpdateOne
from huiqun.work import Work
from moderation.archive.model import MessageRef
from moderation.cases.model import UNDECIDED, Case, CaseOpening, CaseState, join_case, open_case

CASES = "cases"
CASE_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    CASES: (
        Index((("state", 1), ("opened_at", 1), ("_id", 1))),
        Index((("state", 1), ("severity", -1), ("opened_at", 1), ("_id", 1))),
        Index((("message_id", 1),)),
        Index((("group_id", 1), ("member_id", 1))),
        # By these, a person is found who asks what is held of them.
        Index((("member_id", 1),)),
        Index((("reporters", 1),)),
        Index((("history.by", 1),)),
        Index((("closed_at", 1),), expires_after=timedelta(days=1_095)),
        # Reports that nobody has joined, nor looked at.
        Index((("opened_at", 1),), expires_after=timedelta(days=90), where={"state": CaseState.WAITING.value}),
    )
}
CaseOrder = Literal["oldest", "severity"]
#: Severity (None in the order of age), time of opening, id.
CaseCursor = tuple[int | None, datetime, str]
_UNDECIDED = [state.value for state in UNDECIDED]
_AGAINST_THE_MEMBER = [CaseState.UPHELD.value, CaseState.RECLASSIFIED.value]


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFilter:
    """Which cases to list: of at least `severity`; with `claimed`, those that somebody holds, or nobody."""

    state: CaseState = CaseState.OPEN
    claimed: bool | None = None
    kind: CaseKind | None = None
    group_id: str | None = None
    category: str | None = None
    severity: int | None = None
    assignee: str | None = None
    overdue: bool | None = None


@dataclass(frozen=True, slots=True)
class CasePageRequest:
    """A part of the queue: so many cases behind a place."""

    order: CaseOrder
    limit: int
    after: CaseCursor | None = None


@dataclass(frozen=True, slots=True)
class OpenedCases:
    """Cases that wait for a decision from now on, and those that did before but have to be decided sooner."""

    new: list[Case]
    hastened: list[Case]


async def insert_or_join_cases(work: Work, openings: Sequence[CaseOpening]) -> OpenedCases:
    """Insert a case for each opening, or join the one that is there.

    One bulk write. Only where a case was there already, which is rare, are cases read and written again.
    """
    made = [open_case(opening, work.now) for opening in openings]
    operations = [UpdateOne({"_id": case.id}, {"$setOnInsert": _fields(case)}, upsert=True) for case in made]
    result = await work.collection(CASES).bulk_write(operations)
    fresh = result.upserted_ids or {}
    opened = {case.id: case for at, case in enumerate(made) if at in fresh}
    before, after = await _join_cases(work, [opening for at, opening in enumerate(openings) if at not in fresh])
    hastened = []
    for case in after.values():
        known = opened.get(case.id) or before[case.id]
        if case.id in opened or known.state is not CaseState.OPEN:
            opened[case.id] = case
        elif case.due_at < known.due_at and not case.overdue:
            hastened.append(case)
    return OpenedCases([case for case in opened.values() if case.state is CaseState.OPEN], hastened)


async def _join_cases(work: Work, openings: Sequence[CaseOpening]) -> tuple[dict[str, Case], dict[str, Case]]:
    """Join the cases that are there; returns those that are other than before, as they were and as they are."""
    if not openings:
        return {}, {}
    cursor = work.collection(CASES).find({"_id": {"$in": [each.case_id for each in openings]}})
    before = {case.id: case for case in map(case_from_document, await cursor.to_list(None))}
    after = dict(before)
    for opening in openings:
        after[opening.case_id] = join_case(after[opening.case_id], opening, work.now)
    changed = {case.id: case for case in after.values() if case is not before[case.id]}
    if changed:
        operations = [UpdateOne({"_id": case.id}, {"$set": _fields(case)}) for case in changed.values()]
        await work.collection(CASES).bulk_write(operations)
    return before, changed


async def find_case(reader: Reader, case_id: str) -> Case | None:
    """A case; None for none."""
    document = await reader.collection(CASES).find_one({"_id": case_id})
    return case_from_document(document) if document else None


async def list_existing_case_ids(reader: Reader, case_ids: Collection[str]) -> frozenset[str]:
    """Of these ids, those of cases that there are."""
    cursor = reader.collection(CASES).find({"_id": {"$in": list(case_ids)}}, {"_id": 1})
    return frozenset([document["_id"] for document in await cursor.to_list(None)])


async def list_undecided_cases(work: Work, ref: MessageRef) -> list[Case]:
    """The cases about a message that wait for a decision or for a second reporter."""
    query = {**_message_query(ref), "state": {"$in": _UNDECIDED}}
    return [case_from_document(document) async for document in work.collection(CASES).find(query)]


async def has_decided_against(work: Work, ref: MessageRef, person: str) -> bool:
    """Whether this person has found a message to be an offence, or its author to be removed for it."""
    decided = {"by": person, "what": {"$in": _AGAINST_THE_MEMBER}}  # the history outlasts a case's being opened again
    query = {**_message_query(ref), "history": {"$elemMatch": decided}}
    return await work.collection(CASES).find_one(query, {"_id": 1}) is not None


async def list_undecided_removals(work: Work, group_id: str, member_id: str) -> list[Case]:
    """The proposals to remove a member that nobody has decided on."""
    query = {
        "group_id": group_id,
        "member_id": member_id,
        "state": {"$in": _UNDECIDED},
        "kind": CaseKind.REMOVAL.value,
    }
    return [case_from_document(document) async for document in work.collection(CASES).find(query)]


async def list_open_cases(work: Work, group_id: str) -> list[Case]:
    """The cases of a group that wait for a decision, oldest first."""
    query = {"state": CaseState.OPEN.value, "group_id": group_id}
    cursor = work.collection(CASES).find(query).sort([("opened_at", 1), ("_id", 1)])
    return [case_from_document(document) async for document in cursor]


async def save_case(work: Work, case: Case) -> None:
    """Write a case back."""
    await work.collection(CASES).update_one({"_id": case.id}, {"$set": _fields(case)})


async def list_cases(reader: Reader, wanted: CaseFilter, part: CasePageRequest, now: datetime) -> list[Case]:
    """Cases that match, in the order asked for."""
    query = _filter_query(wanted, now)
    if part.after is not None:
        query["$or"] = list(_cursor_alternatives(part.after))
    keys = [("opened_at", 1), ("_id", 1)]
    if part.order == "severity":
        keys = [("severity", -1), *keys]
    cursor = reader.collection(CASES).find(query).sort(keys).limit(part.limit)
    return [case_from_document(document) async for document in cursor]


async def read_documents_of_cases(
    reader: Reader, about: Mapping[str, Any], collection: str, limit: int | None
) -> AsyncIterator[Mapping[str, Any]]:
    """Read from another collection what names, by `case_id`, a case that matches: all of it, or so many documents."""
    joined = {"from": collection, "localField": "_id", "foreignField": "case_id", "as": "document"}
    stages: list[Mapping[str, Any]] = [{"$match": about}, {"$project": {"_id": 1}}, {"$lookup": joined}]
    stages.append({"$unwind": "$document"})
    if limit is not None:
        stages.append({"$limit": limit})
    async for found in await reader.collection(CASES).aggregate(stages):
        yield found["document"]


def _cursor_alternatives(after: CaseCursor) -> Iterator[dict[str, Any]]:
    """What stands behind a place in the queue, one alternative for each key that may differ."""
    severity, opened_at, case_id = after
    same: dict[str, Any] = {}
    if severity is not None:
        yield {"severity": {"$lt": severity}}
        same = {"severity": severity}
    yield {**same, "opened_at": {"$gt": opened_at}}
    yield {**same, "opened_at": opened_at, "_id": {"$gt": case_id}}


def _filter_query(wanted: CaseFilter, now: datetime) -> dict[str, Any]:
    query: dict[str, Any] = {"state": wanted.state.value}
    for name in ("kind", "group_id", "category", "overdue"):
        value = getattr(wanted, name)
        if value is not None:
            query[name] = value
    if wanted.severity is not None:
        query["severity"] = {"$gte": wanted.severity}
    if wanted.assignee is not None:
        query["lease.holder.id"] = wanted.assignee
    held = {"lease.until": {"$gt": now}}
    if wanted.claimed is True or wanted.assignee is not None:
        query |= held
    elif wanted.claimed is False:
        query["$nor"] = [held]
    return query


def _message_query(ref: MessageRef) -> dict[str, Any]:
    return {name: value for name, value in ref._asdict().items() if value is not None}


def _fields(case: Case) -> dict[str, Any]:
    return case.model_dump(mode="python", exclude={"id"})


def case_from_document(document: Mapping[str, Any]) -> Case:
    """The case that a document of the collection holds."""
    return Case.model_validate({**document, "id": document["_id"]})

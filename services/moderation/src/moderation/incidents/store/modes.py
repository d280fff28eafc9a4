"""Who holds which group in a mode, in MongoDB."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from huiqun.contracts.moderation import GroupMode
from huiqun.store import Index, Reader, ReplaceOne
from huiqun.work import Work
from moderation.incidents.model.modes import GroupHolds, Hold

HOLDS = "group_modes"
INDEXES: Mapping[str, Sequence[Index]] = {HOLDS: ()}


async def read(reader: Reader, group_id: str) -> GroupHolds:
    """The holds on one group; none for a group that nobody has ever held."""
    document = await reader.collection(HOLDS).find_one({"_id": group_id})
    return _group(document) if document else GroupHolds(group_id)


async def load(work: Work, group_ids: Sequence[str]) -> list[GroupHolds]:
    """The holds on these groups, in their order."""
    cursor = work.collection(HOLDS).find({"_id": {"$in": list(group_ids)}})
    found = {document["_id"]: _group(document) async for document in cursor}
    return [found.get(group_id) or GroupHolds(group_id) for group_id in group_ids]


async def save(work: Work, groups: Iterable[GroupHolds]) -> None:
    """Write the holds back."""
    operations = [ReplaceOne({"_id": group.group_id}, _document(group), upsert=True) for group in groups]
    if operations:
        await work.collection(HOLDS).bulk_write(operations)


def _document(group: GroupHolds) -> dict[str, Any]:
    return {
        "_id": group.group_id,
        "mode": group.mode.value,
        "since": group.since,
        "revision": group.revision,
        "holds": [
            {
                "by": hold.by,
                "mode": hold.mode.value,
                "until": hold.until,
                "text": hold.text,
                "farewell": hold.farewell,
                "set_by": hold.set_by,
                "staff": sorted(hold.staff),
            }
            for hold in group.holds.values()
        ],
    }


def _group(document: Mapping[str, Any]) -> GroupHolds:
    holds = (
        Hold(**{**fields, "mode": GroupMode(fields["mode"]), "staff": frozenset(fields["staff"])})
        for fields in document["holds"]
    )
    return GroupHolds(
        document["_id"],
        {hold.by: hold for hold in holds},
        GroupMode(document["mode"]),
        document["since"],
        document["revision"],
    )

"""Who holds which group in a mode, in MongoDB."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from huiqun.contracts.moderation import GroupMode
from huiqun.store import Index, Reader, ReplaceOne
from huiqun.work import Work
from moderation.modes.model import GroupModeHolds, ModeHold

GROUP_MODES: Final = "group_modes"
MODE_INDEXES: Final[Mapping[str, Sequence[Index]]] = {GROUP_MODES: ()}


async def get_mode_holds(reader: Reader, group_id: str) -> GroupModeHolds:
    """The holds on one group; none for a group that nobody has ever held."""
    document = await reader.collection(GROUP_MODES).find_one({"_id": group_id})
    return _group_from_document(document) if document else GroupModeHolds(group_id)


async def list_mode_holds(work: Work, group_ids: Sequence[str]) -> list[GroupModeHolds]:
    """The holds on these groups, in their order."""
    cursor = work.collection(GROUP_MODES).find({"_id": {"$in": list(group_ids)}})
    found = {document["_id"]: _group_from_document(document) async for document in cursor}
    return [found.get(group_id) or GroupModeHolds(group_id) for group_id in group_ids]


async def save_mode_holds(work: Work, groups: Iterable[GroupModeHolds]) -> None:
    """Write the holds back."""
    operations = [ReplaceOne({"_id": group.group_id}, _document_of_group(group), upsert=True) for group in groups]
    if operations:
        await work.collection(GROUP_MODES).bulk_write(operations)


def _document_of_group(group: GroupModeHolds) -> dict[str, Any]:
    return {
        "_id": group.group_id,
        "mode": group.mode.value,
        "since": group.since,
        "revision": group.revision,
        "holds": [
            {
                "by": hold.holder,
                "mode": hold.mode.value,
                "until": hold.until,
                "text": hold.announcement,
                "farewell": hold.end_announcement,
                "set_by": hold.set_by,
                "staff": sorted(hold.staff),
            }
            for hold in group.holds.values()
        ],
    }


def _group_from_document(document: Mapping[str, Any]) -> GroupModeHolds:
    holds = (
        ModeHold(
            holder=fields["by"],
            mode=GroupMode(fields["mode"]),
            until=fields["until"],
            announcement=fields["text"],
            end_announcement=fields["farewell"],
            set_by=fields["set_by"],
            staff=frozenset(fields["staff"]),
        )
        for fields in document["holds"]
    )
    return GroupModeHolds(
        document["_id"],
        {hold.holder: hold for hold in holds},
        GroupMode(document["mode"]),
        document["since"],
        document["revision"],
    )

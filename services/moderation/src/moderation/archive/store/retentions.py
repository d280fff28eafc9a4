"""For how many days the messages of a group are kept, as far as it has been carried out."""

from collections.abc import Mapping, Sequence

from huiqun.store import Index, UpdateOne
from huiqun.work import Work

RETENTIONS = "retentions"
INDEXES: Mapping[str, Sequence[Index]] = {RETENTIONS: ()}


async def known(work: Work, group_ids: Sequence[str]) -> dict[str, int]:
    """The days by group; a group that nobody has looked at yet is not among these."""
    cursor = work.collection(RETENTIONS).find({"_id": {"$in": list(group_ids)}})
    return {document["_id"]: document["days"] async for document in cursor}


async def note(work: Work, days: Mapping[str, int]) -> None:
    """Note the days by group."""
    operations = [
        UpdateOne({"_id": group_id}, {"$set": {"days": each, "changed_at": work.now}}, upsert=True)
        for group_id, each in days.items()
    ]
    if operations:
        await work.collection(RETENTIONS).bulk_write(operations)

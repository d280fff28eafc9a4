"""Reporters in MongoDB: how the reports of a member ended."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiqun.store import Index, ReplaceOne, UpdateOne
from huiqun.work import Work
from moderation.reports.model import Reporter

REPORTERS = "reporters"
REPORTER_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    REPORTERS: (Index((("active_at", 1),), expires_after=timedelta(days=400)),)
}


async def load_reporters(work: Work, member_ids: Iterable[str]) -> dict[str, Reporter]:
    """Reporters by member id; a new one for who has never reported."""
    wanted = set(member_ids)
    found = {member_id: Reporter(member_id) for member_id in wanted}
    if wanted:
        cursor = work.collection(REPORTERS).find({"_id": {"$in": list(wanted)}})
        found |= {document["_id"]: _reporter(document) for document in await cursor.to_list(None)}
    return found


async def save_reporters(work: Work, reporters: Iterable[Reporter]) -> None:
    """Write reporters back."""
    operations = [
        ReplaceOne(
            {"_id": reporter.member_id},
            {
                "upheld": reporter.upheld,
                "dismissed": reporter.dismissed,
                "day": reporter.day,
                "reported": reporter.reported,
                "active_at": work.now,
            },
            upsert=True,
        )
        for reporter in reporters
    ]
    if operations:
        await work.collection(REPORTERS).bulk_write(operations)


async def count_outcome(work: Work, member_ids: Iterable[str], *, upheld: bool) -> None:
    """Count for these members how a report of theirs ended."""
    change = {"$inc": {"upheld" if upheld else "dismissed": 1}}
    operations = [UpdateOne({"_id": member_id}, change) for member_id in member_ids]
    if operations:
        await work.collection(REPORTERS).bulk_write(operations)


def _reporter(document: Mapping[str, Any]) -> Reporter:
    return Reporter(document["_id"], document["upheld"], document["dismissed"], document["day"], document["reported"])

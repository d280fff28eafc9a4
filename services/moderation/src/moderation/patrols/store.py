"""What patrols found, in MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.contracts.moderation import Verdict
from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.patrols.model import Patrol

PATROLS = "patrols"
PATROL_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    PATROLS: (Index((("group_id", 1), ("_id", -1))), Index((("at", 1),), expires_after=timedelta(days=400)))
}


async def insert_patrol(work: Work, patrol: Patrol) -> None:
    """Insert what a patrol found."""
    await work.collection(PATROLS).insert_one(
        {
            "_id": patrol.id,
            "group_id": patrol.group_id,
            "since": patrol.since,
            "at": patrol.at,
            "judged": {verdict.value: messages for verdict, messages in patrol.judged.items()},
            "waiting": patrol.waiting,
            "overdue": patrol.overdue,
            "oldest": patrol.oldest,
            "open_actions": patrol.open_actions,
        },
    )


async def find_last_patrol_time(work: Work, group_id: str) -> datetime | None:
    """The time of the last patrol of a group; None where there was none."""
    found = await list_patrols(work, group_id, None, 1)
    return found[0].at if found else None


async def list_patrols(reader: Reader, group_id: str, before: str | None, limit: int) -> list[Patrol]:
    """The patrols of a group, newest first, before the given one."""
    query: dict[str, Any] = {"group_id": group_id}
    if before is not None:
        query["_id"] = {"$lt": before}
    cursor = reader.collection(PATROLS).find(query).sort("_id", -1).limit(limit)
    return [_patrol(document) async for document in cursor]


def _patrol(document: Mapping[str, Any]) -> Patrol:
    return Patrol(
        id=document["_id"],
        group_id=document["group_id"],
        since=document["since"],
        at=document["at"],
        judged={Verdict(verdict): messages for verdict, messages in document["judged"].items()},
        waiting=document["waiting"],
        overdue=document["overdue"],
        oldest=document["oldest"],
        open_actions=document["open_actions"],
    )

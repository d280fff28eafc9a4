"""Which incidents were proposed lately, in MongoDB; `_id` is the proposal's key."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from huiqun.store import Index
from huiqun.work import Work

PROPOSALS: Final = "incident_proposals"
PROPOSAL_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    PROPOSALS: (Index((("at", 1),), expires_after=timedelta(days=1)),)
}


async def was_proposed_since(work: Work, proposal_key: str, moment: datetime) -> bool:
    """Whether this has been proposed since then."""
    query = {"_id": proposal_key, "at": {"$gte": moment}}
    return await work.collection(PROPOSALS).find_one(query) is not None


async def record_proposal(work: Work, proposal_key: str) -> None:
    """Remember that this was proposed now."""
    change = {"$set": {"at": work.now}}
    await work.collection(PROPOSALS).update_one({"_id": proposal_key}, change, upsert=True)

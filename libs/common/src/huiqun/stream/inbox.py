"""The inbox: which events a service has dealt with, written in the transaction that dealt with them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from huiqun.store import Database, Index, Session

INBOX = "inbox"

# One document per batch, whose unique index spans the ids inside it: half the cost of a document per event.
INBOX_INDEXES: Mapping[str, Sequence[Index]] = {
    INBOX: (Index((("ids", 1),), unique=True), Index((("at", 1),), expires_after=timedelta(days=14)))
}


async def record(database: Database, session: Session, ids: Sequence[str], now: datetime) -> None:
    """Note the ids as dealt with; raises DuplicateKey when one of them stands there already."""
    await database[INBOX].insert_one({"ids": list(ids), "at": now}, session=session)


async def known(database: Database, ids: Iterable[str]) -> set[str]:
    """Which of the ids have been dealt with."""
    wanted = set(ids)
    found: set[str] = set()
    async for document in database[INBOX].find({"ids": {"$in": list(wanted)}}, {"ids": 1}):
        found |= wanted.intersection(document["ids"])
    return found

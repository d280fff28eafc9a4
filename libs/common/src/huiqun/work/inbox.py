"""The inbox: which events a service has dealt with, written in the transaction that dealt with them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from huiqun.contracts.envelope import NO_FINGERPRINT
from huiqun.store import Database, Index
from huiqun.work.unit_of_work import Work

INBOX = "inbox"
_BYTES = len(NO_FINGERPRINT)

# One document per batch, whose unique index spans the ids inside it: half the cost of a document per event. Beside the
# ids stand the fingerprints of the events, eight bytes each in the same order.
INBOX_INDEXES: Mapping[str, Sequence[Index]] = {
    INBOX: (Index((("ids", 1),), unique=True), Index((("at", 1),), expires_after=timedelta(days=14)))
}


async def insert_inbox_ids(work: Work, ids: Sequence[str], fingerprints: Sequence[bytes] = ()) -> None:
    """Note the ids as dealt with, and with which contents; raises DuplicateKey when one of them is there already."""
    document = {"ids": list(ids), "fingerprints": b"".join(fingerprints), "at": work.now}
    await work.collection(INBOX).insert_one(document)


async def find_known_ids(database: Database, ids: Iterable[str]) -> set[str]:
    """Which of the ids have been dealt with."""
    return set(await find_fingerprints(database, ids))


async def find_fingerprints(database: Database, ids: Iterable[str]) -> dict[str, bytes]:
    """With what contents those of the ids were dealt with that have been: the fingerprint by id."""
    wanted = set(ids)
    found: dict[str, bytes] = {}
    async for document in database[INBOX].find({"ids": {"$in": list(wanted)}}, {"at": 0}):
        places = ((at, each) for at, each in enumerate(document["ids"]) if each in wanted)
        prints = document["fingerprints"]
        found.update((each, bytes(prints[at * _BYTES : at * _BYTES + _BYTES]) or NO_FINGERPRINT) for at, each in places)
    return found

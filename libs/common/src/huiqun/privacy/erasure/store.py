"""Requests in MongoDB, and the encrypted parts of the files that answer those for access."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from huiqun.contracts.fields import Account
from huiqun.contracts.privacy import ErasureResult
from huiqun.privacy.erasure.model import AccessFile, RequestKind, RequestState, StoredPersonRequest
from huiqun.store import Index, OutsideTransaction, Reader
from huiqun.work import Work

PERSON_REQUESTS: Final = "person_requests"
ACCESS_FILE_PARTS: Final = "access_file_parts"
#: So long it can be shown that and how somebody was answered.
REQUEST_RETENTION: Final = timedelta(days=3 * 366)
PERSON_REQUEST_INDEXES: Mapping[str, Sequence[Index]] = {
    PERSON_REQUESTS: (
        Index((("received_at", -1), ("_id", -1))),
        Index((("hashes", 1),), where={"hashes": {"$exists": True}}),
        Index((("file.reference", 1),), unique=True, where={"file.reference": {"$exists": True}}),
        Index((("completed_at", 1),), expires_after=REQUEST_RETENTION),
    ),
    ACCESS_FILE_PARTS: (
        Index((("request", 1), ("number", 1)), unique=True),
        Index((("expires_at", 1),), expires_after=timedelta(0)),
    ),
}


async def find_request(reader: Reader, key: str) -> StoredPersonRequest | None:
    """Find a request by its key."""
    document = await reader.collection(PERSON_REQUESTS).find_one({"_id": key})
    return _request(document) if document else None


async def find_request_by_reference(reader: Reader, reference: str) -> StoredPersonRequest | None:
    """Find the request that a file answers."""
    document = await reader.collection(PERSON_REQUESTS).find_one({"file.reference": reference})
    return _request(document) if document else None


async def list_requests(
    reader: Reader, after: tuple[datetime, str] | None, limit: int, kind: RequestKind | None
) -> list[StoredPersonRequest]:
    """List requests, newest first, after the given place."""
    query: dict[str, Any] = {"kind": kind.value} if kind is not None else {}
    if after is not None:
        query["$or"] = [{"received_at": {"$lt": after[0]}}, {"received_at": after[0], "_id": {"$lt": after[1]}}]
    cursor = reader.collection(PERSON_REQUESTS).find(query).sort([("received_at", -1), ("_id", -1)]).limit(limit)
    return [_request(document) async for document in cursor]


async def insert_request(work: Work, request: StoredPersonRequest, hashes: Collection[str]) -> None:
    """Keep a new request; by `hashes`, those of its accounts, it is found when they are to be erased."""
    document = {
        "_id": request.key,
        "kind": request.kind.value,
        "request_id": request.request_id,
        "person_id": request.person_id,
        "requested_by": request.requested_by,
        "ground": request.ground,
        "received_at": request.received_at,
        "accounts": [account._asdict() for account in request.accounts],
        "customer_id": request.customer_id,
        "state": request.state.value,
        "results": [],
        "hashes": sorted(hashes),
    }
    await work.collection(PERSON_REQUESTS).insert_one(document)


async def add_erasure_results(work: Work, key: str, results: Sequence[ErasureResult]) -> None:
    """Note what became of data; what has been said before is said once."""
    if results:
        said = [result.model_dump(exclude_none=True) | {"outcome": result.outcome.value} for result in results]
        await work.collection(PERSON_REQUESTS).update_one({"_id": key}, {"$addToSet": {"results": {"$each": said}}})


async def complete_request(work: Work, key: str, file: AccessFile | None = None) -> None:
    """Note that a request is answered, by a file where it has one, and forget whose accounts it names."""
    change = {"state": RequestState.COMPLETED.value, "completed_at": work.now}
    written = {"file": asdict(file)} if file is not None else {}
    forgotten = {"$unset": {"accounts": "", "customer_id": ""}}
    await work.collection(PERSON_REQUESTS).update_one({"_id": key}, {"$set": {**change, **written}, **forgotten})
    if file is not None:
        await work.collection(ACCESS_FILE_PARTS).update_many(
            {"request": key}, {"$set": {"expires_at": file.expires_at}}
        )


async def record_file_fetch(work: Work, request: StoredPersonRequest, actor: str, until: datetime) -> None:
    """Note who fetches the file, whose parts go at `until`."""
    change = {"file.fetched_at": work.now, "file.fetched_by": actor}
    await work.collection(PERSON_REQUESTS).update_one({"_id": request.key}, {"$set": change})
    await work.collection(ACCESS_FILE_PARTS).update_many({"request": request.key}, {"$set": {"expires_at": until}})


async def delete_access_files(work: Work, hashes: Collection[str], limit: int) -> int:
    """Delete parts of files about accounts, up to so many; returns how many."""
    cursor = work.collection(PERSON_REQUESTS).find({"hashes": {"$in": list(hashes)}, "kind": "access"}, {"_id": 1})
    keys = [document["_id"] async for document in cursor]
    parts = (
        await work.collection(ACCESS_FILE_PARTS).find({"request": {"$in": keys}}, {"_id": 1}).limit(limit).to_list(None)
    )
    await work.collection(ACCESS_FILE_PARTS).delete_many({"_id": {"$in": [each["_id"] for each in parts]}})
    return len(parts)


async def write_access_file_part(
    outside: OutsideTransaction, request: StoredPersonRequest, number: int, data: bytes, expires_at: datetime
) -> None:
    """Keep the next part of a file."""
    document = {"request": request.key, "number": number, "data": data, "expires_at": expires_at}
    await outside.collection(ACCESS_FILE_PARTS).insert_one(document)


async def delete_access_file_parts(outside: OutsideTransaction, request: StoredPersonRequest) -> None:
    """Forget what an earlier attempt has written."""
    await outside.collection(ACCESS_FILE_PARTS).delete_many({"request": request.key})


async def read_access_file_parts(reader: Reader, request: StoredPersonRequest) -> AsyncIterator[bytes]:
    """Read the parts of a file in their order."""
    cursor = reader.collection(ACCESS_FILE_PARTS).find({"request": request.key}).sort("number", 1)
    async for document in cursor.batch_size(2):
        yield document["data"]


def _request(document: Mapping[str, Any]) -> StoredPersonRequest:
    file = document.get("file")
    return StoredPersonRequest(
        kind=RequestKind(document["kind"]),
        request_id=document["request_id"],
        person_id=document["person_id"],
        requested_by=document["requested_by"],
        ground=document["ground"],
        received_at=document["received_at"],
        accounts=tuple(Account(**each) for each in document.get("accounts", ())),
        customer_id=document.get("customer_id"),
        state=RequestState(document["state"]),
        results=tuple(ErasureResult(**each) for each in document["results"]),
        file=AccessFile(**file) if file else None,
        completed_at=document.get("completed_at"),
    )

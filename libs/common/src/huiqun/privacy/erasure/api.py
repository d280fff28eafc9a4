"""Routes of what people ask of their data, the same for every service: see the requests, fetch a file once."""

from datetime import datetime
from typing import Annotated, Any, Final, cast

from fastapi import Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from huiqun.channel.directory.handlers import Directory
from huiqun.contracts.envelope import Id
from huiqun.contracts.privacy import Outcome
from huiqun.privacy.erasure import store
from huiqun.privacy.erasure.collecting import read_access_file
from huiqun.privacy.erasure.handlers import claim_access_file
from huiqun.privacy.erasure.model import (
    AccessFileFetchedError,
    PersonRequestNotFoundError,
    RequestKind,
    RequestState,
    StoredPersonRequest,
)
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, TransactOnce, require_role
from huiqun.web.provided import provided

router = Router(
    "/api/v1/person-requests",
    tag="privacy",
    role="operator",
    problems={
        AccessFileFetchedError: (410, "access-file-fetched"),
    },
)

Kind = Annotated[RequestKind, Path(description="Kind of request.", examples=["erasure"])]
OfKind = Annotated[RequestKind | None, Query(description="Only requests of this kind.", examples=["access"])]
RequestId = Annotated[Id, Path(description="The request's id.", examples=["request-1"])]
Reference = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{64}$",
        description="The reference of the file, as the receipt says it.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
Auditor = Annotated[Principal, require_role("auditor")]
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}


class ErasureResultView(BaseModel):
    """What became of one kind of data."""

    what: str = Field(description="Name of the data, in words for people.", examples=["群聊消息"])
    outcome: Outcome = Field(description="Outcome for the data.", examples=["kept"])
    ground: str | None = Field(description="Ground on which data is kept; null if none is.", examples=["监管要求保存"])
    until: datetime | None = Field(
        description="Moment until which data is kept; null if none is, or if it is unknown.",
        examples=["2027-11-22T00:00:00Z"],
    )


class AccessFileView(BaseModel):
    """The file that answers a request for access; it can be fetched once."""

    reference: str | None = Field(
        description="Reference for the download of the file; null once it was downloaded.", examples=["9f86d081884c"]
    )
    bytes: int = Field(description="Size of the file in bytes.", examples=[18_211])
    lines: int = Field(description="Number of lines in the file.", examples=[120])
    sha256: str = Field(description="The file's SHA-256.", examples=["9f86d081884c"])
    expires_at: datetime = Field(
        description="Moment until which the file can be downloaded.", examples=["2026-11-29T08:00:00Z"]
    )
    fetched_at: datetime | None = Field(
        description="Moment the file was downloaded; null before.", examples=["2026-11-22T09:00:00Z"]
    )
    fetched_by: str | None = Field(
        description="Principal who downloaded the file; null before.", examples=["key:5f2a9c01d4e8b7a3"]
    )


class PersonRequestView(BaseModel):
    """What a person asks of their data, and how far this service has come with it."""

    kind: RequestKind = Field(description="Kind of request.", examples=["erasure"])
    request_id: str = Field(description="The request's id.", examples=["request-1"])
    person_id: str = Field(description="The customer id, or else the member id.", examples=["customer-1"])
    requested_by: str = Field(description="Principal who made the request.", examples=["key/privacy-1"])
    ground: str = Field(description="Ground for the request.", examples=["本人申请"])
    state: RequestState = Field(description="State of the request.", examples=["completed"])
    received_at: datetime = Field(description="Moment the request was received.", examples=["2026-11-22T08:00:00Z"])
    completed_at: datetime | None = Field(
        description="Moment the request was completed; null before.", examples=["2026-11-22T08:02:00Z"]
    )
    results: list[ErasureResultView] = Field(description="Outcome for each kind of data that was to be erased.")
    file: AccessFileView | None = Field(description="The file with the data that was asked for.")


@router.get("", summary="List the requests of people about their data")
async def list_person_requests(db: ReadDatabase, paging: Paging, kind: OfKind = None) -> Page[PersonRequestView]:
    """Newest first."""
    after = paging.after(datetime, str)
    found = await store.list_requests(db, cast("tuple[datetime, str] | None", after or None), paging.limit + 1, kind)
    return paging.page(found, lambda each: (each.received_at, each.key), _view)


@router.get(
    "/files/{reference}",
    summary="Download the data of a person, once",
    response_class=StreamingResponse,
    responses=_FILE,
)
async def fetch_access_file(
    db: ReadDatabase,
    reference: Reference,
    who: Auditor,
    transact: TransactOnce,
    directory: Annotated[Directory, provided(Directory)],
) -> StreamingResponse:
    """JSON lines: what kind of data it is, and the data. It is audited, and gone after it, also if it breaks off."""
    found = await transact(lambda work: claim_access_file(work, reference, who.id))
    headers = {
        "Content-Disposition": f'attachment; filename="{found.request_id}.jsonl"',
        "Cache-Control": "no-store",
    }
    file = read_access_file(db, directory.encryption, found)
    return StreamingResponse(file, 200, headers, "application/x-ndjson")


@router.get("/{kind}/{request_id}", summary="Read a request of a person about their data")
async def read_person_request(db: ReadDatabase, kind: Kind, request_id: RequestId) -> PersonRequestView:
    """404 where nobody has asked this, or three years after it was completed."""
    found = await store.find_request(db, f"{kind.value}/{request_id}")
    if found is None:
        raise PersonRequestNotFoundError(request_id)
    return _view(found)


def _view(request: StoredPersonRequest) -> PersonRequestView:
    file = request.file
    return PersonRequestView(
        kind=request.kind,
        request_id=request.request_id,
        person_id=request.person_id,
        requested_by=request.requested_by,
        ground=request.ground,
        state=request.state,
        received_at=request.received_at,
        completed_at=request.completed_at,
        results=[
            ErasureResultView(what=each.what, outcome=each.outcome, ground=each.ground, until=each.until)
            for each in request.results
        ],
        file=AccessFileView(
            reference=file.reference if file.fetched_at is None else None,
            bytes=file.bytes,
            lines=file.lines,
            sha256=file.sha256,
            expires_at=file.expires_at,
            fetched_at=file.fetched_at,
            fetched_by=file.fetched_by,
        )
        if file is not None
        else None,
    )

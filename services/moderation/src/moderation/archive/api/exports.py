"""Exports: ask for one, see how far it is, fetch the file."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Self

from fastapi import Header, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.web import Answer, Page, Paging, Problem, Router, Store, WriteOnce
from huiqun.work import Work
from moderation.archive.api.access import Audited, Auditor
from moderation.archive.handlers.exports import (
    ExportOrder,
    UnfinishedExportError,
    UnknownExportError,
    download,
    request_export,
)
from moderation.archive.model.rows import Format
from moderation.archive.store import exports as store
from moderation.archive.store.exports import Export, State

router = Router(
    "/api/v1/exports",
    tag="archive",
    role="auditor",
    problems={UnknownExportError: (404, "unknown-export"), UnfinishedExportError: (409, "export-unfinished")},
)

ExportPath = Annotated[Id, Path(description="The export's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])]
Range = Annotated[
    str | None,
    Header(alias="Range", description="To go on with a download that broke off.", examples=["bytes=1048576-"]),
]
_BYTES: Final = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")
_TEXT: Final = {"schema": {"type": "string"}}
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file", "content": {"application/x-ndjson": _TEXT, "text/csv": _TEXT}},
    206: {"description": "The part that was asked for", "content": {"application/x-ndjson": _TEXT, "text/csv": _TEXT}},
    409: {"description": "There is no file yet, or the export failed", "content": _PROBLEM},
    416: {"description": "The file is not that long", "content": _PROBLEM},
}


class ExportDraft(BaseModel):
    """What is to be exported."""

    groups: list[Id] = Field(
        min_length=1, max_length=200, description="What was said in these groups.", examples=[["group-1"]]
    )
    since: Instant = Field(alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00+08:00"])
    until: Instant = Field(alias="to", description="Sent before then.", examples=["2026-12-01T00:00:00+08:00"])
    format: Format = Field(description="JSON lines, or CSV for a spreadsheet.", examples=["csv"])

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.since >= self.until:
            raise ValueError("to is later than from")
        return self


class ExportView(BaseModel):
    """An export; it and its file are deleted after a week."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(description="The export's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    groups: list[str] = Field(description="What was said in these groups.", examples=[["group-1"]])
    since: datetime = Field(alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00Z"])
    until: datetime = Field(alias="to", description="Sent before then.", examples=["2026-12-01T00:00:00Z"])
    format: Format = Field(description="The form of the file.", examples=["csv"])
    state: State = Field(
        description="Counting, writing, sealing (hashing); then done, or failed: a file has at most 1 GiB.",
        examples=["writing"],
    )
    total: int = Field(description="How many messages there are, as far as they are counted.", examples=[18_211])
    messages: int = Field(description="How many are written.", examples=[5_000])
    bytes: int = Field(description="How long the file is by now.", examples=[1_048_576])
    sha256: str | None = Field(description="The file's SHA-256; it is in the audit log, too.", examples=["9f86d081"])
    requested_by: str = Field(description="Who asked for it.", examples=["key:5f2a9c01d4e8b7a3"])
    requested_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    finished_at: datetime | None = Field(description="When it was done.", examples=["2026-11-22T08:01:00Z"])


@router.get("", summary="List the exports")
async def list_exports(db: Store, paging: Paging) -> Page[ExportView]:
    """Newest first."""
    found = await store.listed(db, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda export: (export.id,), _view)


@router.post("", summary="Export what was said in groups", status_code=202, response_model=ExportView)
async def start_export(draft: ExportDraft, write: WriteOnce, who: Auditor) -> Response:
    """Group by group, in order of time; texts are masked. Ask under its id how far it is."""
    order = ExportOrder(tuple(draft.groups), draft.since, draft.until, draft.format)

    async def use_case(work: Work) -> Answer:
        export = await request_export(work, order, who.id)
        return Answer(_view(export), location=f"/api/v1/exports/{export.id}")

    return await write(use_case)


@router.get("/{export_id}", summary="See how far an export is")
async def read_export(db: Store, export_id: ExportPath) -> ExportView:
    """404 a week after it was asked for."""
    export = await store.find(db, export_id)
    if export is None:
        raise UnknownExportError(export_id)
    return _view(export)


@router.get(
    "/{export_id}/file", summary="Fetch the file of an export", response_class=StreamingResponse, responses=_FILE
)
async def fetch_file(
    db: Store, export_id: ExportPath, audited: Audited, who: Auditor, asked: Range = None
) -> StreamingResponse:
    """As a stream, or from the byte that Range names. Each download is audited."""
    export = await audited(lambda work: download(work, export_id, who.id))
    start, end = _span(asked, export.bytes) or (0, export.bytes)
    headers = {
        "Content-Length": str(end - start),
        "Content-Disposition": f'attachment; filename="messages-{export.id}.{export.format.value}"',
        "ETag": f'"{export.sha256}"',
        "Accept-Ranges": "bytes",
    }
    partial = (start, end) != (0, export.bytes)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{export.bytes}"
    file = store.read(db, export.id, start, end)
    return StreamingResponse(file, 206 if partial else 200, headers, export.format.media_type)


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """The bytes that are asked for, up to the second number; None where it is not said in a way that we know."""
    found = _BYTES.fullmatch(asked or "")
    if found is None:
        return None
    start, end = int(found[1]), min(int(found[2] or size), size - 1) + 1
    if start >= size:
        raise Problem(
            416, "range-not-satisfiable", "The file is not that long.", headers={"Content-Range": f"bytes */{size}"}
        )
    return (start, end) if start < end else None


def _view(export: Export) -> ExportView:
    return ExportView(
        id=export.id,
        groups=list(export.groups),
        since=export.since,
        until=export.until,
        format=export.format,
        state=export.state,
        total=export.total,
        messages=export.messages,
        bytes=export.bytes,
        sha256=export.sha256,
        requested_by=export.requested_by,
        requested_at=export.requested_at,
        finished_at=export.finished_at,
    )

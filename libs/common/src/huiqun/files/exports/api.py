"""What the HTTP routes of a service's exports share: how far one is, and its file."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from huiqun.contracts.envelope import Id
from huiqun.files.exports.handlers import ExportNotFinishedError, record_download
from huiqun.files.exports.model import Export, ExportFormat, ExportState
from huiqun.files.exports.store import read_file_bytes
from huiqun.web import Caller, ReadDatabase, Router, TransactOnce
from huiqun.web.downloads import Download, RangeHeader, download_responses, send_download
from huiqun.web.problems import Problems

EXPORT_PROBLEMS: Final[Problems] = {
    ExportNotFinishedError: (409, "export-unfinished"),
}
ExportPath = Annotated[Id, Path(description="The export's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])]
_RESPONSES: Final = {
    **download_responses("application/x-ndjson", "text/csv"),
    409: {
        "description": "There is no file yet, or the export failed",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    },
}


class ExportProgress(BaseModel):
    """How far an export is; it and its file are deleted after a week."""

    id: str = Field(description="The export's id.", examples=["0192f3c1-0000-7000-8000-000000000000"])
    format: ExportFormat = Field(description="The form of the file.", examples=["csv"])
    state: ExportState = Field(
        description="Counting, writing, sealing (hashing); then done, or failed: a file has at most 1 GiB.",
        examples=["writing"],
    )
    total: int = Field(description="How many rows there are, as far as they are counted.", examples=[18_211])
    rows: int = Field(description="Number of rows written.", examples=[5_000])
    bytes: int = Field(description="Size of the file so far, in bytes.", examples=[1_048_576])
    sha256: str | None = Field(description="The file's SHA-256; it is in the audit log, too.", examples=["9f86d081"])
    requested_by: str = Field(description="Principal who asked for the export.", examples=["key:5f2a9c01d4e8b7a3"])
    requested_at: datetime = Field(
        description="Moment the export was asked for; it is deleted a week later.", examples=["2026-11-22T08:00:00Z"]
    )
    finished_at: datetime | None = Field(description="Moment the file was done.", examples=["2026-11-22T08:01:00Z"])


def progress_fields(export: Export) -> dict[str, Any]:
    """The fields of ExportProgress, for the view of a kind of export."""
    names = ("id", "state", "total", "rows", "bytes", "sha256", "requested_by", "requested_at", "finished_at")
    return {"format": export.command.format, **{name: getattr(export, name) for name in names}}


def add_file_route(router: Router, kind: str) -> None:
    """Add the route by which the file of an export of this kind is fetched, by whoever may use the router."""

    async def fetch_file(
        db: ReadDatabase, export_id: ExportPath, audited: TransactOnce, who: Caller, asked: RangeHeader = None
    ) -> StreamingResponse:
        """As a stream, or from the byte that Range names. Each download is audited."""
        export = await audited(lambda work: record_download(work, kind, export_id, who.id))
        form = export.command.format
        file = Download(f"{kind}-{export.id}.{form.value}", form.media_type, export.bytes, f'"{export.sha256}"')
        return send_download(file, asked, lambda start, end: read_file_bytes(db, export.id, start, end))

    router.get(
        "/{export_id}/file",
        summary="Download the file of an export",
        response_class=StreamingResponse,
        responses=_RESPONSES,
    )(fetch_file)

"""Exports: ask for one, see how far it is, fetch the file."""

from datetime import datetime
from typing import Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.files.exports.api import EXPORT_PROBLEMS, ExportPath, ExportProgress, add_file_route, progress_fields
from huiqun.files.exports.handlers import get_export, request_export
from huiqun.files.exports.model import Export, ExportFormat
from huiqun.files.exports.store import list_exports as list_stored_exports
from huiqun.web import Page, Paging, ReadDatabase, Router, WriteOnce, WriteResult
from huiqun.work import Work
from moderation.archive.api.access import Auditor
from moderation.archive.handlers.exports import MESSAGES, ExportMessagesCommand

router = Router("/api/v1/exports", tag="archive", role="auditor", problems=EXPORT_PROBLEMS)


class ExportDraft(BaseModel):
    """What is to be exported."""

    groups: list[Id] = Field(
        min_length=1, max_length=200, description="What was said in these groups.", examples=[["group-1"]]
    )
    since: Instant = Field(alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00+08:00"])
    until: Instant = Field(alias="to", description="Sent before then.", examples=["2026-12-01T00:00:00+08:00"])
    format: ExportFormat = Field(description="JSON lines, or CSV for a spreadsheet.", examples=["csv"])

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.since >= self.until:
            raise ValueError("to is later than from")
        return self


class ExportView(ExportProgress):
    """An export; it and its file are deleted after a week."""

    model_config = ConfigDict(populate_by_name=True)

    groups: list[str] = Field(description="What was said in these groups.", examples=[["group-1"]])
    since: datetime = Field(alias="from", description="Sent then or later.", examples=["2026-11-01T00:00:00Z"])
    until: datetime = Field(alias="to", description="Sent before then.", examples=["2026-12-01T00:00:00Z"])
    total: int = Field(description="How many messages there are, as far as they are counted.", examples=[18_211])
    rows: int = Field(alias="messages", description="How many messages are written.", examples=[5_000])


@router.get("", summary="List the exports")
async def list_exports(db: ReadDatabase, paging: Paging) -> Page[ExportView]:
    """Newest first."""
    found = await list_stored_exports(db, MESSAGES.name, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda export: (export.id,), _view)


@router.post("", summary="Export what was said in groups", status_code=202, response_model=ExportView)
async def start_export(draft: ExportDraft, write: WriteOnce, who: Auditor) -> Response:
    """Group by group, in order of time; texts are masked. Ask under its id how far it is."""
    command = ExportMessagesCommand(tuple(draft.groups), draft.since, draft.until, draft.format)

    async def use_case(work: Work) -> WriteResult:
        export = await request_export(work, command.to_request(), who.id)
        return WriteResult(_view(export), location=f"/api/v1/exports/{export.id}")

    return await write(use_case)


@router.get("/{export_id}", summary="See how far an export is")
async def read_export(db: ReadDatabase, export_id: ExportPath) -> ExportView:
    """404 a week after it was asked for."""
    return _view(await get_export(db, MESSAGES.name, export_id))


add_file_route(router, MESSAGES.name)


def _view(export: Export) -> ExportView:
    criteria = export.command.criteria
    return ExportView(
        groups=criteria["groups"], since=criteria["from"], until=criteria["to"], **progress_fields(export)
    )

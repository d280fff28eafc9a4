"""Exports over HTTP: ask for one, see how far it is, fetch the file."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from huiqun.contracts.envelope import Id, Instant
from huiqun.files.exports.api import EXPORT_PROBLEMS, ExportPath, ExportProgress, add_file_route, progress_fields
from huiqun.files.exports.handlers import get_export, request_export
from huiqun.files.exports.model import Export, ExportFormat
from huiqun.files.exports.store import list_exports
from huiqun.web import Page, Paging, Principal, ReadDatabase, Router, WriteOnce, WriteResult, require_role
from huiqun.work import Work
from moderation.exports.handlers import MESSAGE_EXPORT, ExportMessagesCommand

router = Router("/api/v1/exports", tag="exports", role="auditor", problems=EXPORT_PROBLEMS)

Auditor = Annotated[Principal, require_role("auditor")]


class ExportDraft(BaseModel):
    """Which messages are to be exported, and in which form."""

    groups: list[Id] = Field(
        min_length=1, max_length=200, description="Export the messages of these groups.", examples=[["group-1"]]
    )
    since: Instant = Field(
        alias="from", description="Export messages sent then or later.", examples=["2026-11-01T00:00:00+08:00"]
    )
    until: Instant = Field(
        alias="to", description="Export messages sent before then.", examples=["2026-12-01T00:00:00+08:00"]
    )
    format: ExportFormat = Field(
        description="The form of the file: JSON lines, or CSV for a spreadsheet.", examples=["csv"]
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.since >= self.until:
            raise ValueError("to is later than from")
        return self


class ExportView(ExportProgress):
    """An export of messages; it and its file are deleted after a week."""

    model_config = ConfigDict(populate_by_name=True)

    groups: list[str] = Field(description="The groups whose messages are exported.", examples=[["group-1"]])
    since: datetime = Field(
        alias="from", description="Messages sent then or later are exported.", examples=["2026-11-01T00:00:00Z"]
    )
    until: datetime = Field(
        alias="to", description="Messages sent before then are exported.", examples=["2026-12-01T00:00:00Z"]
    )
    total: int = Field(description="Number of messages to export, as far as they are counted.", examples=[18_211])
    rows: int = Field(alias="messages", description="Number of messages written to the file so far.", examples=[5_000])


@router.get("", summary="List the exports of messages")
async def list_message_exports(db: ReadDatabase, paging: Paging) -> Page[ExportView]:
    """Newest first."""
    found = await list_exports(db, MESSAGE_EXPORT.name, paging.last(str), paging.limit + 1)
    return paging.page(found, lambda export: (export.id,), _view)


@router.post("", summary="Export the messages of groups", status_code=202, response_model=ExportView)
async def export_messages(draft: ExportDraft, write: WriteOnce, who: Auditor) -> Response:
    """Group by group, in order of time; texts are masked. Ask under its id how far it is."""
    command = ExportMessagesCommand(tuple(draft.groups), draft.since, draft.until, draft.format)

    async def use_case(work: Work) -> WriteResult:
        export = await request_export(work, command.to_request(), who.id)
        return WriteResult(_view(export), location=f"/api/v1/exports/{export.id}")

    return await write(use_case)


@router.get("/{export_id}", summary="Read how far an export of messages is")
async def read_message_export(db: ReadDatabase, export_id: ExportPath) -> ExportView:
    """404 a week after it was asked for."""
    return _view(await get_export(db, MESSAGE_EXPORT.name, export_id))


add_file_route(router, MESSAGE_EXPORT.name)


def _view(export: Export) -> ExportView:
    criteria = export.command.criteria
    return ExportView(
        groups=criteria["groups"], since=criteria["from"], until=criteria["to"], **progress_fields(export)
    )

"""Exports step by step: a task counts the rows, writes them in parts and seals the file with a hash.

A step is committed with the place it has come to, so that after a crash the next one goes on there.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from prometheus_client import Counter

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.files.exports import store
from huiqun.files.exports.model import OPEN_EXPORT_STATES, Export, ExportKind, RequestExportCommand
from huiqun.runtime.errors import NotFoundError
from huiqun.runtime.ids import new_id
from huiqun.store import Reader
from huiqun.tasks.model import Continue, TransactionalHandler
from huiqun.work import Progress, Task, Work

EXPORT: Final = "files.export"
_PART_BYTES: Final = 1 << 20
_STEP_BYTES: Final = 4 << 20
#: More is for a command, which writes to a disk and not into the database.
MAX_EXPORT_BYTES: Final = 1 << 30
EXPORTED_ROWS: Final = Counter(
    "huiqun_exported_rows_total", "How much leaves the service in files? Each export is audited.", ["kind"]
)


class ExportNotFoundError(NotFoundError):
    """There is no such export, or it was made more than a week ago."""


class ExportNotFinishedError(ValueError):
    """The export has no file: it is still being written, or it has failed."""


async def request_export(work: Work, command: RequestExportCommand, actor: str) -> Export:
    """Begin an export; a task carries it out."""
    export = Export(new_id(), command, actor, work.now)
    await store.save_export(work, export)
    await append_audit_entry(work, AuditEntry(actor, "export.requested", _subject(export), command.audit_detail))
    schedule_export(work, export.id)
    return export


def schedule_export(work: Work, export_id: str) -> None:
    """Have an export carried out, from where it is."""
    work.schedule(Task(f"{EXPORT}/{export_id}", EXPORT, work.now, {"export_id": export_id}))


def export_task_kind(kinds: Sequence[ExportKind[Any]]) -> TransactionalHandler:
    """What a task of the kind `EXPORT` does, for the kinds of export that a service has: the next step."""
    by_name = {kind.name: kind for kind in kinds}

    async def carry_out(work: Work, task: Task) -> Continue | None:
        export = await store.find_export(work, task.payload["export_id"])
        if export is None or export.state not in OPEN_EXPORT_STATES:
            return None
        export = await _take_step(work, by_name, export)
        await store.save_export(work, export)
        if export.state not in OPEN_EXPORT_STATES:
            return None
        return Continue(task.payload, progress=Progress(export.rows, export.total))

    return carry_out


async def get_export(reader: Reader, kind: str, export_id: str) -> Export:
    """The export of this kind and id; raises ExportNotFoundError."""
    export = await store.find_export(reader, export_id)
    if export is None or export.command.kind != kind:
        raise ExportNotFoundError(export_id)
    return export


async def record_download(work: Work, kind: str, export_id: str, actor: str) -> Export:
    """Note that somebody fetches the file. Raises ExportNotFoundError, ExportNotFinishedError."""
    export = await get_export(work, kind, export_id)
    if export.state != "done":
        raise ExportNotFinishedError(export.state)
    await append_audit_entry(work, AuditEntry(actor, "export.downloaded", _subject(export), {"sha256": export.sha256}))
    return export


async def _take_step(work: Work, kinds: Mapping[str, ExportKind[Any]], export: Export) -> Export:
    kind = kinds[export.command.kind]
    if export.state == "counting":
        return await _count(work, kind, export)
    return await (_write(work, kind, export) if export.state == "writing" else _seal(work, export))


async def _count(work: Work, kind: ExportKind[Any], export: Export) -> Export:
    """Count the rows of one section; after the last one, writing begins."""
    sections = kind.sections(export.command.criteria)
    total = export.total + await kind.count_rows(work, sections[export.section])
    if export.section + 1 < len(sections):
        return replace(export, total=total, section=export.section + 1)
    header = kind.format_header(export.command.format)
    begun = await store.append_file_parts(work, export, [header] if header else [])
    return replace(begun, total=total, section=0, state="writing")


async def _write(work: Work, kind: ExportKind[Any], export: Export) -> Export:
    """Write some megabytes, or what is left of a section."""
    sections, form = kind.sections(export.command.criteria), export.command.format
    lines: list[bytes] = []
    size = 0
    written = export
    async for page in kind.read_pages(work, sections[export.section], export.after):
        added = kind.format_page(form, page)
        lines += added
        size += sum(map(len, added))
        written = replace(written, after=page.last, rows=written.rows + len(added))
        if size >= _STEP_BYTES:
            break
    else:
        written = replace(written, after=None, section=export.section + 1)
        if written.section == len(sections):
            written = replace(written, state="sealing")
    written = await store.append_file_parts(work, written, _parts(lines))
    return await _fail(work, written, "too large") if written.bytes > MAX_EXPORT_BYTES else written


async def _fail(work: Work, export: Export, reason: str) -> Export:
    await store.delete_file_parts(work, export)
    detail = {"reason": reason, "rows": export.rows}
    await append_audit_entry(work, AuditEntry(export.requested_by, "export.failed", _subject(export), detail))
    return replace(export, state="failed", finished_at=work.now)


async def _seal(work: Work, export: Export) -> Export:
    """Hash the file and make it known."""
    digest = hashlib.sha256()
    async for part in store.read_file_bytes(work, export.id, 0, export.bytes):
        digest.update(part)
    sealed = replace(export, state="done", sha256=digest.hexdigest(), finished_at=work.now)
    detail = {**export.command.audit_detail, "rows": sealed.rows, "bytes": sealed.bytes, "sha256": sealed.sha256}
    await append_audit_entry(work, AuditEntry(sealed.requested_by, "export.completed", _subject(sealed), detail))
    EXPORTED_ROWS.labels(kind=sealed.command.kind).inc(sealed.rows)
    return sealed


def _subject(export: Export) -> str:
    return f"export/{export.id}"


def _parts(lines: Sequence[bytes]) -> list[bytes]:
    """The lines in parts of a megabyte, none of which is larger than a document may be."""
    parts: list[bytes] = []
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _PART_BYTES:
            parts.append(b"".join(held))
            held, size = [], 0
    return [*parts, b"".join(held)] if held else parts

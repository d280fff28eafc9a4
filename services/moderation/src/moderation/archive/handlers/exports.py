"""Exports: a task counts the messages, writes them in parts and seals the file with a hash, step by step.

A step is committed with the place it has come to, so that after a crash the next one goes on there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from huiqun.audit import AuditEntry, append
from huiqun.runtime.ids import new_id
from huiqun.tasks.model import Continue
from huiqun.work import Progress, Task, Work
from moderation.archive.handlers.writing_out import pages
from moderation.archive.model.rows import Format, opening
from moderation.archive.store import exports, messages
from moderation.archive.store.exports import Export
from moderation.archive.store.messages import Search
from moderation.metrics import EXPORTED_MESSAGES

EXPORT: Final = "archive.export"
_PART_BYTES: Final = 1 << 20
_STEP_BYTES: Final = 4 << 20
# More is for the command, which writes to a disk and not into the database.
MOST_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What is to be exported, and in which form."""

    groups: tuple[str, ...]
    since: datetime
    until: datetime
    format: Format


class UnknownExportError(LookupError):
    """There is no such export, or it was made more than a week ago."""


class UnfinishedExportError(ValueError):
    """The export has no file: it is still being written, or it has failed."""


async def request_export(work: Work, order: ExportOrder, actor: str) -> Export:
    """Begin an export; a task carries it out."""
    groups = tuple(sorted(set(order.groups)))
    export = Export(new_id(), groups, order.since, order.until, order.format, actor, work.now)
    await exports.save(work, export)
    await append(work, AuditEntry(actor, "export.requested", f"export/{export.id}", range_of(export)))
    work.schedule(Task(f"{EXPORT}/{export.id}", EXPORT, work.now, {"export_id": export.id}))
    return export


async def carry_out(work: Work, task: Task) -> Continue | None:
    """Take the next step of an export."""
    export = await exports.find(work, task.payload["export_id"])
    if export is None:
        return None
    if export.state == "counting":
        export = await _count(work, export)
    elif export.state == "writing":
        export = await _write(work, export)
    elif export.state == "sealing":
        export = await _seal(work, export)
    await exports.save(work, export)
    if export.state in {"done", "failed"}:
        return None
    return Continue(task.payload, progress=Progress(export.messages, export.total))


async def download(work: Work, export_id: str, actor: str) -> Export:
    """Note that somebody fetches the file. Raises UnknownExportError, UnfinishedExportError."""
    export = await exports.find(work, export_id)
    if export is None:
        raise UnknownExportError(export_id)
    if export.state != "done":
        raise UnfinishedExportError(export.state)
    await append(work, AuditEntry(actor, "export.downloaded", f"export/{export_id}", {"sha256": export.sha256}))
    return export


def range_of(export: Export | ExportOrder) -> dict[str, Any]:
    """What the audit log says of an export's range."""
    return {
        "groups": list(export.groups),
        "from": export.since.isoformat(),
        "to": export.until.isoformat(),
        "format": export.format.value,
    }


def _search(export: Export) -> Search:
    return Search(export.groups[export.group], export.since, export.until)


async def _count(work: Work, export: Export) -> Export:
    """Count the messages of one group; after the last one, writing begins."""
    total = export.total + await messages.count(work, _search(export))
    if export.group + 1 < len(export.groups):
        return replace(export, total=total, group=export.group + 1)
    begun = await exports.add_parts(work, export, [part for part in [opening(export.format)] if part])
    return replace(begun, total=total, group=0, state="writing")


async def _write(work: Work, export: Export) -> Export:
    """Write some megabytes, or what is left of a group."""
    lines: list[bytes] = []
    size = 0
    written = export
    async for page in pages(work, _search(export), export.format, export.after):
        lines += page.lines
        size += sum(map(len, page.lines))
        written = replace(written, after=page.last, messages=written.messages + len(page.lines))
        if size >= _STEP_BYTES:
            break
    else:
        written = replace(written, after=None, group=export.group + 1)
        if written.group == len(written.groups):
            written = replace(written, state="sealing")
    written = await exports.add_parts(work, written, _parts(lines))
    if written.bytes > MOST_BYTES:
        await exports.drop_parts(work, written)
        detail = {"reason": "too large", "messages": written.messages}
        await append(work, AuditEntry(written.requested_by, "export.failed", f"export/{written.id}", detail))
        return replace(written, state="failed", finished_at=work.now)
    return written


async def _seal(work: Work, export: Export) -> Export:
    """Hash the file and make it known."""
    digest = hashlib.sha256()
    async for part in exports.read(work, export.id, 0, export.bytes):
        digest.update(part)
    sealed = replace(export, state="done", sha256=digest.hexdigest(), finished_at=work.now)
    detail = {**range_of(sealed), "messages": sealed.messages, "bytes": sealed.bytes, "sha256": sealed.sha256}
    await append(work, AuditEntry(sealed.requested_by, "export.completed", f"export/{sealed.id}", detail))
    EXPORTED_MESSAGES.inc(sealed.messages)
    return sealed


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

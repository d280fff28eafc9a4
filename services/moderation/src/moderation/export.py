"""`python -m moderation.export`: write what was said in groups into a file, however much it is."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.cli.operator import shell_actor
from huiqun.cli.terminal import exit_with_error, notes, open_database, output, run_command
from huiqun.files.exports.model import ExportFormat, RequestExportCommand
from huiqun.files.writing import FileFormat
from huiqun.runtime.clock import SystemClock
from huiqun.runtime.ids import new_id
from huiqun.store import Database, OutsideTransaction, is_transient, transaction
from huiqun.work import Work
from huiqun.work.retry import retry_for
from moderation.archive.handlers.exports import MESSAGES, ExportMessagesCommand

_AUDIT_SECONDS = 30.0
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(slots=True)
class Written:
    """What has gone into the file."""

    file: BinaryIO
    messages: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines."""
        content = b"".join(lines)
        self.file.write(content)
        self.digest.update(content)
        self.size += len(content)

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return str(self.digest.hexdigest())


@app.command()
def export(
    groups: Annotated[list[str], typer.Option("--groups", "-g", help="A group; may be given several times.")],
    since: Annotated[str, typer.Option("--from", help="Sent then or later: 2026-11-01, 2026-11-01T08:00+08:00.")],
    until: Annotated[str, typer.Option("--to", help="Sent before then.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file, which is not there yet.", dir_okay=False)],
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", "-f", help="csv is for spreadsheets.")] = "jsonl",
) -> None:
    """Write what was said in groups into a file, masked, group by group and in order of time.

    A moment without an offset is in the time zone of this machine. Servers come from the environment, as for the
    service. Who exported what, how much and the file's SHA-256 stand in the audit log.
    """
    chosen: ExportFormat = FileFormat.CSV if form == "csv" else FileFormat.JSONL
    command = ExportMessagesCommand(tuple(groups), _moment("--from", since), _moment("--to", until), chosen)
    if command.since >= command.until:
        exit_with_error("--to is later than --from.")
    if out.exists():
        exit_with_error(f"{out} is there already.")
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            written = run_command(_export(command.to_request(), file))
        part.rename(out)
    except OSError as error:
        exit_with_error(f"{out}: {error.strerror}")
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    output.print(
        f"{written.messages} messages, {written.size} bytes, sha256 {written.sha256}", highlight=False, soft_wrap=True
    )


async def _export(command: RequestExportCommand, file: BinaryIO) -> Written:
    written = Written(file)
    async with open_database("moderation") as database:
        with _progress() as progress:
            sections = MESSAGES.sections(command.criteria)
            total = sum([await MESSAGES.count_rows(OutsideTransaction(database), section) for section in sections])
            task = progress.add_task("Exporting", total=total)
            written.write([MESSAGES.format_header(command.format)])
            for section in sections:
                async for page in MESSAGES.read_pages(OutsideTransaction(database), section, None):
                    written.write(MESSAGES.format_page(command.format, page))
                    written.messages += len(page.rows)
                    progress.update(task, completed=written.messages)
        file.flush()
        detail = {
            **command.audit_detail,
            "rows": written.messages,
            "bytes": written.size,
            "sha256": written.sha256,
        }
        await retry_for(_AUDIT_SECONDS, partial(_audit, database, detail), name="export", retry_on=is_transient)
    return written


async def _audit(database: Database, detail: dict[str, Any]) -> None:
    async with transaction(database.client) as session:
        work = Work(database, session, SystemClock().now())
        await append_audit_entry(work, AuditEntry(shell_actor(), "export.completed", f"export/{new_id()}", detail))


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=notes)


def _moment(option: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        exit_with_error(f"{option}: {text} is no date: write 2026-11-01 or 2026-11-01T08:00+08:00.")


if __name__ == "__main__":
    app()

"""`huiqun audit`: verify the hash-chained log of a service."""

from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from huiqun.audit import ChainHead, VerificationReport, verify_audit_log
from huiqun.cli.terminal import (
    EXIT_FAILED,
    Service,
    exit_with_error,
    notes,
    open_database,
    output,
    printable_line,
    run_command,
)
from huiqun.store import OutsideTransaction

app = typer.Typer(help="The append-only, hash-chained log of who did what.", no_args_is_help=True)


@app.command("verify")
def verify_log(
    service: Service,
    anchor: Annotated[
        str | None, typer.Option(metavar="SEQ:HASH", help="The head that an earlier verification printed.")
    ] = None,
) -> None:
    """Read the whole log and find entries that were changed, removed, added or put elsewhere.

    Keep the head that is printed outside of the database: given back as --anchor, it proves that the past is the same.
    """
    report = run_command(_verify(service, _head(anchor)))
    if report.intact:
        output.print(f"{report.entries} entries, intact.", highlight=False)
        output.print(printable_line(f"head {report.head.seq}:{report.head.hash}"), soft_wrap=True)
        return
    table = Table("entry", "what", "explanation")
    for finding in report.findings:
        table.add_row(str(finding.seq), finding.kind, printable_line(finding.explanation))
    output.print(table)
    exit_with_error(f"The audit log of {service} has been tampered with: {len(report.findings)} findings.", EXIT_FAILED)


async def _verify(service: str, anchor: ChainHead | None) -> VerificationReport:
    with Progress(console=notes, transient=True) as progress:
        task = progress.add_task("Verifying", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        async with open_database(service) as database:
            return await verify_audit_log(OutsideTransaction(database), advance, anchor)


def _head(anchor: str | None) -> ChainHead | None:
    if anchor is None:
        return None
    number, _, digest = anchor.partition(":")
    if not number.isdecimal() or not digest:
        exit_with_error("--anchor is SEQ:HASH, as an earlier verification printed it.")
    return ChainHead(int(number), digest)

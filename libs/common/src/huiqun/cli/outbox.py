"""`huiqun outbox`: see outgoing records that the broker does not take, and send them again or give them up."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import typer
from rich.table import Table

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.cli.operator import run_in_transaction, shell_actor
from huiqun.cli.terminal import (
    EXIT_FAILED,
    Service,
    exit_with_error,
    load_settings,
    notes,
    open_database,
    output,
    printable_text,
    run_command,
)
from huiqun.kafka import Publisher
from huiqun.kafka.publisher import RecordsTooLargeError
from huiqun.work import Work, outbox
from huiqun.work.parked import (
    ParkedRecord,
    ParkedRecordNotFoundError,
    get_parked_record,
    list_parked_records,
    remove_parked_record,
)

app = typer.Typer(
    help="Outgoing records. Those that are larger than their topic takes are parked, and their neighbours published: "
    "raise the topic's max.message.bytes and send them again, or give them up.",
    no_args_is_help=True,
)

ParkedIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Parked records, as `list` shows them.")]
Outcome = Literal["retried", "dropped"]
_MOST_LISTED = 1_000


@app.command("list")
def list_records(service: Service) -> None:
    """List the parked records of a service, oldest first, without their values."""
    parked, waiting = run_command(_read(service))
    table = Table("id", "service", "topic", "key", "bytes", "since (UTC)", "reason")
    for each in parked:
        key = "(none)" if each.record.key is None else each.record.key.decode(errors="replace")
        since = f"{each.parked_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            each.id, service, each.record.topic, printable_text(key), str(each.size), since, printable_text(each.reason)
        )
    output.print(table)
    output.print(f"{len(parked)} parked records of {service}; {waiting} batches wait to be published.", highlight=False)


@app.command()
def retry(parked_ids: ParkedIds, service: Service) -> None:
    """Send parked records again; each comes behind what has been published of its key meanwhile."""
    run_command(_settle(service, parked_ids, "retried"))


@app.command()
def drop(parked_ids: ParkedIds, service: Service) -> None:
    """Give parked records up: what they say will never be published."""
    run_command(_settle(service, parked_ids, "dropped"))


async def _read(service: str) -> tuple[list[ParkedRecord], int]:
    async with open_database(service) as database:
        return await list_parked_records(database, _MOST_LISTED), await outbox.count_outbox_entries(database)


async def _settle(service: str, parked_ids: list[str], outcome: Outcome) -> None:
    """Publish the records or not, one by one, and note each in the audit log with its removal."""
    for parked_id in parked_ids:
        try:
            async with open_database(service) as database:
                parked = await get_parked_record(database, parked_id)
            if outcome == "retried":
                await _publish(parked)
            await run_in_transaction(service, _removal(parked, outcome))
        except ParkedRecordNotFoundError:
            exit_with_error(
                f"{service} has no parked record {parked_id}: huiqun outbox list --service {service}", EXIT_FAILED
            )
        except RecordsTooLargeError:
            exit_with_error(
                f"{parked_id} is still more than {parked.record.topic} takes; nothing has changed.", EXIT_FAILED
            )
        notes.print(f"{outcome.capitalize()} {parked_id}.", highlight=False)


async def _publish(parked: ParkedRecord) -> None:
    publisher = Publisher(load_settings().kafka)
    try:
        await publisher.publish([parked.record])
    finally:
        await publisher.stop()


def _removal(parked: ParkedRecord, outcome: Outcome) -> Callable[[Work], Awaitable[None]]:
    async def use_case(work: Work) -> None:
        await remove_parked_record(work, parked.id)
        detail = {"topic": parked.record.topic, "bytes": parked.size}
        await append_audit_entry(work, AuditEntry(shell_actor(), f"outbox.{outcome}", f"outbox:{parked.id}", detail))

    return use_case

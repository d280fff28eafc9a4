"""`huiqun consumer`: how far a service has come, which of its partitions are paused, and how they go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

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
    printable_line,
    run_command,
)
from huiqun.contracts.catalog import EVENTS
from huiqun.runtime.ids import new_id
from huiqun.store import OutsideTransaction
from huiqun.stream.breaker import PartitionBreaker, PartitionId
from huiqun.stream.controls import add_skip_rule, list_breakers, list_skip_rules, remove_breakers
from huiqun.stream.positions import Position, read_positions
from huiqun.stream.skipping import SkipRule
from huiqun.work import Work

app = typer.Typer(
    help="What a service reads. Where its own code fails on too much of a partition, that partition is paused, and one "
    "record is tried a minute: mend the cause, or have the records set aside.",
    no_args_is_help=True,
)

Partition = Annotated[
    str | None, typer.Option("--partition", "-p", metavar="TOPIC/NUMBER", help="As `status` shows it.")
]
Offsets = Annotated[
    str | None, typer.Option(metavar="FROM-TO", help="With --partition: from an offset up to, not including, another.")
]


@app.command()
def status(service: Service) -> None:
    """Show what the service reads, how far it is behind, and which partitions are paused, since when and why."""
    found = run_command(_read(service))
    paused = {breaker.place: breaker for breaker in found.breakers}
    table = Table("partition", "acknowledged", "end", "behind", "breaker", "since (UTC)", "reason")
    for place in sorted({*found.reads, *paused}):
        position, breaker = found.positions.get(place), paused.get(place)
        table.add_row(str(place), *_offsets(position), *_cells(breaker))
    output.print(table)
    for rule in found.rules:
        if found.is_pending(rule):
            output.print(
                printable_line(f"to be skipped: {_described(rule)}, asked for by {rule.actor} {rule.at:%F %T}")
            )
    notes.print(f"{len(paused)} partitions are paused.", highlight=False)


@app.command()
def resume(service: Service, *, partition: Partition = None) -> None:
    """Close the breaker of a partition, or of all that are paused: they are read on within a second or so.

    Where the cause is still there, it opens again.
    """
    wanted = _place(partition)

    async def use_case(work: Work) -> list[PartitionId]:
        found = [breaker.place for breaker in await list_breakers(work)]
        places = [place for place in found if wanted in {None, place}]
        await remove_breakers(work, places)
        for place in places:
            await append_audit_entry(work, AuditEntry(shell_actor(), "consumer.resumed", f"partition:{place}"))
        return places

    places = run_command(run_in_transaction(service, use_case))
    if not places:
        exit_with_error(
            f"No such partition of {service} is paused: huiqun consumer status --service {service}", EXIT_FAILED
        )
    for place in places:
        output.print(f"{place} goes on.", highlight=False)


@app.command()
def skip(
    service: Service,
    *,
    partition: Partition = None,
    offsets: Offsets = None,
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    key: Annotated[str | None, typer.Option(help="Only records of this key: mostly a group's id.")] = None,
) -> None:
    """Have records set aside as dead letters instead of handling them: what has been written up to now.

    Nothing is lost: `huiqun dead-letters` lists them and puts them back.
    """
    place = _place(partition)
    if place is None and event_type is None and key is None:
        exit_with_error("Say what to skip: --partition, --type or --key.")
    if place is None and offsets is not None:
        exit_with_error("--offsets goes with --partition.")
    if event_type is not None and event_type not in {each.model_fields["type"].default for each in EVENTS}:
        exit_with_error(f"There are no events of type {event_type}.")
    start, end = _range(offsets)
    ends = run_command(_ends(service, place, end))

    async def use_case(work: Work) -> SkipRule:
        starts = {name: start for name in ends if start}
        encoded = key.encode() if key is not None else None
        rule = SkipRule(new_id(), shell_actor(), work.now, ends, starts, event_type, encoded)
        await add_skip_rule(work, rule)
        detail = {
            "ends": [f"{name} {end}" for name, end in ends.items()],
            "from": start,
            "type": event_type,
            "key": key,
        }
        await append_audit_entry(work, AuditEntry(shell_actor(), "consumer.skipped", f"skip:{rule.id}", detail))
        return rule

    rule = run_command(run_in_transaction(service, use_case))
    output.print(printable_line(f"{_described(rule)} will be set aside as dead letters."))


@dataclass(frozen=True, slots=True)
class _Found:
    positions: Mapping[PartitionId, Position]
    breakers: Sequence[PartitionBreaker]
    rules: Sequence[SkipRule]

    @property
    def reads(self) -> list[PartitionId]:
        return [place for place, position in self.positions.items() if position.committed is not None]

    def is_pending(self, rule: SkipRule) -> bool:
        """Whether some of what the rule covers has not been read yet."""
        positions = {str(place): position for place, position in self.positions.items()}
        return any(name in positions and (positions[name].committed or 0) < end for name, end in rule.ends.items())


async def _read(service: str) -> _Found:
    positions = await read_positions(load_settings().kafka, service)
    async with open_database(service) as database:
        return _Found(positions, await list_breakers(OutsideTransaction(database)), await list_skip_rules(database))


async def _ends(service: str, wanted: PartitionId | None, end: int | None) -> dict[str, int]:
    """Up to which offset of which partitions to skip: of those that the service reads, or of the one that is named."""
    found = await read_positions(load_settings().kafka, service)
    if wanted is not None:
        if wanted not in found:
            exit_with_error(f"There is no partition {wanted}.", EXIT_FAILED)
        return {str(wanted): found[wanted].end if end is None else end}
    return {str(place): position.end for place, position in found.items() if position.committed is not None}


def _place(text: str | None) -> PartitionId | None:
    if text is None:
        return None
    topic, _, number = text.rpartition("/")
    if not topic or not number.isdecimal():
        exit_with_error("--partition is TOPIC/NUMBER, as `huiqun consumer status` shows it.")
    return PartitionId(topic, int(number))


def _range(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    start, _, end = text.partition("-")
    if not start.isdecimal() or not end.isdecimal() or int(start) >= int(end):
        exit_with_error("--offsets is FROM-TO, such as 120-150: the first to skip, and the first to be handled again.")
    return int(start), int(end)


def _offsets(position: Position | None) -> tuple[str, str, str]:
    if position is None:
        return "", "", ""
    committed = position.committed or 0
    return str(committed), str(position.end), str(max(position.end - committed, 0))


def _cells(breaker: PartitionBreaker | None) -> tuple[str, str, str]:
    if breaker is None:
        return "closed", "", ""
    trials = f"{breaker.failed} of {breaker.seen} failed, {breaker.trials} tried since: {breaker.reason}"
    return "open", f"{breaker.since:%F %T}", trials


def _described(rule: SkipRule) -> str:
    parts = [f"events of type {rule.event_type}" if rule.event_type else "records"]
    if rule.key is not None:
        parts.append(f"of key {rule.key.decode(errors='replace')}")
    if len(rule.ends) == 1:
        ((name, end),) = rule.ends.items()
        return " ".join([*parts, f"of {name} from {rule.starts.get(name, 0)} up to {end}"])
    return " ".join([*parts, f"on {len(rule.ends)} partitions up to now"])

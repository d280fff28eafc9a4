"""`huiqun dead-letters`: see what a service could not process, and put it back."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from huiqun.cli.terminal import (
    EXIT_FAILED,
    Service,
    exit_with_error,
    is_safe_for_terminal,
    load_settings,
    notes,
    output,
    printable_json,
    printable_line,
    printable_text,
    run_command,
)
from huiqun.contracts.catalog import UndecodableError, decode_event
from huiqun.contracts.topics import TOPICS
from huiqun.kafka import Publisher
from huiqun.stream.dead_letters import (
    DeadLetter,
    DeadLetterNotFoundError,
    get_dead_letter,
    latest_dead_letters,
    read_dead_letters,
    replay_dead_letter,
)

app = typer.Typer(
    help="Records that a service could not process. Nothing is dropped: look at the reason, mend the cause or the "
    "record, and put it back on its topic.",
    no_args_is_help=True,
)

LetterId = Annotated[str, typer.Argument(metavar="ID", help='Its place on the topic, as `list` shows it: "3-17".')]
_SHOWN_REASON = 200
_AT_ONCE = 1


@app.command("list")
def list_letters(
    service: Service,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the dead letters of a service, oldest first, without their values."""
    letters = run_command(_read(service))
    if as_json:
        for letter in letters:
            typer.echo(printable_json(_summary(letter)))
        return
    table = Table("id", "time (UTC)", "topic", "reason", "replays")
    for letter in letters:
        topic, reason = printable_line(letter.topic), printable_line(letter.reason[:_SHOWN_REASON])
        table.add_row(letter.id, f"{letter.at:%Y-%m-%d %H:%M:%S}", topic, reason, str(letter.replays))
    output.print(table)
    output.print(f"{len(letters)} dead letters of {service}.", highlight=False)


@app.command()
def show(
    letter_id: LetterId,
    service: Service,
    *,
    value_only: Annotated[
        bool, typer.Option("--value-only", help="Only the bytes of the value, to repair them.")
    ] = False,
) -> None:
    """Show one dead letter with all its headers, where the error happened, and its value."""
    letter = run_command(_find(service, letter_id))
    notes.print("The value may hold personal data: keep it out of tickets and chats.", style="yellow")
    if value_only:
        if sys.stdout.isatty() and not is_safe_for_terminal(letter.value or b""):
            exit_with_error("The value would steer the terminal. Write it to a file: ... --value-only > FILE")
        typer.echo(letter.value or b"", nl=False)
        return
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, text in _facts(letter).items():
        table.add_row(printable_line(name), printable_text(text))
    output.print(table)
    output.print(printable_text(_readable(letter.value)))


@app.command("replay")
def replay_letters(  # noqa: PLR0913 - an argument for each option
    service: Service,
    *,
    letter_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The dead letter to put back.")] = None,
    value: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file with the repaired value, with ID only.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Put back every record, each once.")] = False,
    reason_contains: Annotated[
        str | None, typer.Option(help="With --all: only those whose reason contains this text.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, max=10_000, help="With --all: how many a second, at most.")] = 100,
) -> None:
    """Put a dead letter, or all of them, back on the topic they came from.

    An event that was handled meanwhile is dropped by the service as a duplicate. Slowly, so that what comes from
    members meanwhile is handled as well; and one that fails again is set aside again.
    """
    if every == (letter_id is not None):
        exit_with_error("Say which dead letter: give its ID, or --all.")
    if every and value is not None:
        exit_with_error("--value repairs one dead letter: give its ID.")
    if reason_contains is not None and not every:
        exit_with_error("--reason-contains goes with --all.")
    if letter_id is not None:
        run_command(_replay_one(service, letter_id, value.read_bytes() if value else None))
        output.print(f"Put back {letter_id}.", highlight=False)
    else:
        count = run_command(_replay_all(service, reason_contains or "", rate))
        output.print(f"Put back {count} records.", highlight=False)


async def _read(service: str) -> list[DeadLetter]:
    letters = [letter async for letter in read_dead_letters(load_settings().kafka, service)]
    return sorted(letters, key=lambda letter: letter.at)


async def _find(service: str, letter_id: str) -> DeadLetter:
    try:
        return await get_dead_letter(load_settings().kafka, service, letter_id)
    except DeadLetterNotFoundError:
        exit_with_error(
            f"{service} has no dead letter {letter_id}; see: huiqun dead-letters list --service {service}", EXIT_FAILED
        )


async def _replay_one(service: str, letter_id: str, repaired: bytes | None) -> None:
    letter = await _find(service, letter_id)
    if repaired is not None:
        _check(letter, repaired)
    await _put_back([letter], repaired, _AT_ONCE)


async def _replay_all(service: str, reason: str, rate: int) -> int:
    letters = [letter for letter in latest_dead_letters(await _read(service)) if reason in letter.reason]
    await _put_back(letters, None, rate)
    return len(letters)


async def _put_back(letters: list[DeadLetter], value: bytes | None, rate: int) -> None:
    publisher = Publisher(load_settings().kafka)
    started = time.monotonic()
    try:
        with Progress(console=notes, transient=True) as progress:
            for number, letter in enumerate(progress.track(letters, description="Putting back")):
                await asyncio.sleep(started + number / rate - time.monotonic())
                await replay_dead_letter(publisher, letter, value)
    except DeadLetterNotFoundError as error:
        exit_with_error(str(error), EXIT_FAILED)
    finally:
        await publisher.stop()


def _check(letter: DeadLetter, value: bytes) -> None:
    """Refuse a repaired value that would only come back."""
    topic = next((topic for topic in TOPICS if topic.name == letter.topic), None)
    if topic is None:
        exit_with_error(f"{letter.id} came from the unknown topic {letter.topic}.", EXIT_FAILED)
    try:
        decode_event(topic, value)
    except UndecodableError as error:
        exit_with_error(f"The repaired value is no event of {letter.topic}: {error}", EXIT_FAILED)


def _summary(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "time": letter.at.isoformat(),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "replays": letter.replays,
    }


def _facts(letter: DeadLetter) -> dict[str, str]:
    facts = {name: str(value) for name, value in _summary(letter).items()}
    facts["key"] = _readable(letter.key)
    for name, value in letter.headers:
        facts[f"header {name}"] = _readable(value)
    if letter.error:
        facts["error"] = letter.error
    return facts


def _readable(value: bytes | None) -> str:
    if value is None:
        return "(none)"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"({len(value)} bytes that are no UTF-8) {value[:2000].hex(' ')}"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text

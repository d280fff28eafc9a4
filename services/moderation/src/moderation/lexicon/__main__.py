"""`python -m moderation.lexicon FILE --list NAME [--on-error skip]`: import a list of words from the shell."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from huiqun.audit import AUDIT_INDEXES
from huiqun.cli.operator import shell_actor
from huiqun.cli.terminal import printable_line, printable_text
from huiqun.files.reading import ParsedRows, RowFault, RowFormat, UnreadableFileError, decode_file
from huiqun.kafka import Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.service.settings import ConnectionSettings
from huiqun.store import StoreError, connect, ensure_indexes
from huiqun.tasks.store import TASK_INDEXES
from huiqun.work import WORK_INDEXES, Transactor
from moderation.lexicon import store
from moderation.lexicon.handlers import (
    ShippedListError,
    UnfitWordsError,
    WordFile,
    checksum_of,
    import_list,
    read_words,
)
from moderation.lexicon.model.words import Word
from moderation.lexicon.store import WordList

_SHOWN_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for."""

    file: Path
    list_name: str
    keep_going: bool
    encoding: str


def order_from(arguments: Sequence[str]) -> Order:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m moderation.lexicon",
        description="Put a file of words in the place of a list; the store is the one that HUIQUN_MONGO_URL names.",
    )
    parser.add_argument("file", type=Path, help="CSV with a header, or .jsonl with an object a line")
    parser.add_argument("--list", required=True, dest="list_name", type=_list_name, help="the name of the list")
    parser.add_argument("--on-error", choices=("refuse", "skip"), default="refuse", help="what an unfit row leads to")
    parser.add_argument("--encoding", default="utf-8", help="of the file: utf-8 or gb18030")
    given = parser.parse_args(arguments)
    return Order(given.file, given.list_name, given.on_error == "skip", given.encoding)


def main(arguments: Sequence[str], console: Console) -> int:
    """Import the file; 0 if it was taken, 1 if not."""
    order = order_from(arguments)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(f"Reading {escape(order.file.name)}", total=3)
            content = decode_file(order.file.read_bytes(), order.encoding)
            progress.update(task, completed=1, description=f"Checking {content.count(chr(10))} lines")
            form = RowFormat.of_file(order.file.name)
            read = read_words(content, form, order.list_name, keep_going=order.keep_going)
            progress.update(task, completed=2, description=f"Writing {len(read.records)} words")
            entry, changed = asyncio.run(_store(WordFile(order.list_name, read.records, checksum_of(content))))
    except UnfitWordsError as error:
        _show(console, error.faults)
        hint = "" if order.keep_going else "; --on-error skip leaves out what can be left out"
        console.print(f"{len(error.faults)} rows are unfit, so none was taken{hint}.")
        return 1
    except (ShippedListError, OSError, UnreadableFileError, StoreError) as error:
        console.print(printable_text(f"Nothing was imported. {type(error).__name__}: {error}"))
        return 1
    _report(console, read, entry, changed=changed)
    return 0


async def _store(file: WordFile) -> tuple[WordList, bool]:
    settings = ConnectionSettings()
    client = connect(settings.mongo, app_name="huiqun-lexicon")
    database = client[f"{settings.database_prefix}moderation"]
    # Never started: an import publishes nothing, the stamp tells the processes.
    transactor = Transactor(client, database, Publisher(settings.kafka), SystemClock())
    author = shell_actor()
    try:
        await ensure_indexes(database, {**store.INDEXES, **AUDIT_INDEXES, **WORK_INDEXES, **TASK_INDEXES})
        return await transactor.run(lambda work: import_list(work, file, author))
    finally:
        await client.close()


def _report(console: Console, read: ParsedRows[Word], entry: WordList, *, changed: bool) -> None:
    _show(console, read.faults)
    left_out = f", {len(read.faults)} rows left out" if read.faults else ""
    if changed:
        console.print(f"{entry.name}: {entry.words} words{left_out}; in force within two seconds.")
    else:
        console.print(f"{entry.name}: {entry.words} words{left_out}; the same file was imported before.")


def _show(console: Console, faults: Sequence[RowFault]) -> None:
    for fault in faults[:_SHOWN_FAULTS]:
        console.print(printable_line(f"line {fault.line}: {fault.field} {fault.reason}"))
    if len(faults) > _SHOWN_FAULTS:
        console.print(f"... and {len(faults) - _SHOWN_FAULTS} more")


def _list_name(text: str) -> str:
    if store.NAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("lower-case letters, digits, - and _, at most 64")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Console(soft_wrap=True)))

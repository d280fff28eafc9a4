"""`huiqun moderation import-words`: put a file of words in the place of a list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from huiqun.cli.operator import run_in_transaction, shell_actor
from huiqun.cli.terminal import EXIT_FAILED, exit_with_error, notes, open_database, output, printable_line, run_command
from huiqun.files.reading import ParsedRows, RowFault, RowFormat, UnreadableFileError, decode_file
from huiqun.service.connections import SHARED_INDEXES
from huiqun.store import ensure_indexes
from moderation.documents import INDEXES
from moderation.lexicon.handlers import (
    ImportWordListCommand,
    ShippedListError,
    UnfitWordsError,
    checksum_text,
    import_word_list,
    parse_word_file,
)
from moderation.lexicon.matching.words import Word
from moderation.lexicon.model import LIST_NAME, WordList

_SHOWN_FAULTS = 1_000


def _list_name(text: str) -> str:
    if LIST_NAME.fullmatch(text) is None:
        raise typer.BadParameter("lower-case letters, digits, - and _, at most 64")
    return text


def import_words(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or .jsonl with an object a line.")],
    list_name: Annotated[str, typer.Option("--list", "-l", help="The name of the list.", parser=_list_name)],
    on_error: Annotated[Literal["refuse", "skip"], typer.Option(help="What an unfit row leads to.")] = "refuse",
    encoding: Annotated[str, typer.Option(help="The encoding of the file: utf-8 or gb18030.")] = "utf-8",
) -> None:
    """Put a file of words in the place of a list; it is in force within two seconds, and the import is audited.

    Servers come from the environment, as for the service.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    keep_going = on_error == "skip"
    try:
        with Progress(*columns, console=notes, transient=True) as progress:
            task = progress.add_task("Reading the file", total=3)
            content = decode_file(file.read_bytes(), encoding)
            progress.update(task, completed=1, description=f"Checking {content.count(chr(10))} lines")
            read = parse_word_file(content, RowFormat.of_file(file.name), list_name, keep_going=keep_going)
            progress.update(task, completed=2, description=f"Writing {len(read.records)} words")
            imported, changed = run_command(
                _import(ImportWordListCommand(list_name, read.records, checksum_text(content)))
            )
    except UnfitWordsError as error:
        _show_faults(error.faults)
        hint = "" if keep_going else "; --on-error skip leaves out what can be left out"
        exit_with_error(f"{len(error.faults)} rows are unfit, so none was taken{hint}.", EXIT_FAILED)
    except (ShippedListError, OSError, UnreadableFileError) as error:
        exit_with_error(f"Nothing was imported. {type(error).__name__}: {error}", EXIT_FAILED)
    _show_import(read, imported, changed=changed)


async def _import(file: ImportWordListCommand) -> tuple[WordList, bool]:
    async with open_database("moderation") as database:
        await ensure_indexes(database, {**SHARED_INDEXES, **INDEXES})
    author = shell_actor()
    return await run_in_transaction("moderation", lambda work: import_word_list(work, file, author))


def _show_import(read: ParsedRows[Word], imported: WordList, *, changed: bool) -> None:
    _show_faults(read.faults)
    left_out = f", {len(read.faults)} rows left out" if read.faults else ""
    ending = "in force within two seconds." if changed else "the same file was imported before."
    output.print(printable_line(f"{imported.name}: {imported.words} words{left_out}; {ending}"), soft_wrap=True)


def _show_faults(faults: Sequence[RowFault]) -> None:
    for fault in faults[:_SHOWN_FAULTS]:
        output.print(printable_line(f"line {fault.line}: {fault.field} {fault.reason}"), soft_wrap=True)
    if len(faults) > _SHOWN_FAULTS:
        output.print(f"... and {len(faults) - _SHOWN_FAULTS} more", highlight=False)

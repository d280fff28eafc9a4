"""Import word lists: those that operators bring, and those that come with the service."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.files.reading import ParsedRows, RowFault, RowFormat
from huiqun.runtime.errors import NotFoundError
from huiqun.store import Reader
from huiqun.work import Transactor, Work
from moderation.lexicon import store
from moderation.lexicon.matching.words import Word
from moderation.lexicon.model import CATEGORIES, STAFF_CATEGORIES, LexiconRevision, WordList, parse_words

SHIPPED_LIST = "huiqun"
# A list of its own: what fraudsters say to customers, staff may not say either, and a list has each word once.
SHIPPED_STAFF_LIST = "huiqun-staff"
SHIPPED_LISTS: Mapping[str, tuple[str, ...]] = {SHIPPED_LIST: CATEGORIES, SHIPPED_STAFF_LIST: STAFF_CATEGORIES}


@dataclass(frozen=True, slots=True)
class ImportWordListCommand:
    """Put the words of a file in the place of a list; `checksum` is of the file's text."""

    list_name: str
    words: tuple[Word, ...]
    checksum: str


class UnfitWordsError(ValueError):
    """Rows of the file cannot be words, so none was taken; `faults` says which and why."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        super().__init__(f"{len(faults)} rows are unfit")
        self.faults = tuple(faults)


class WordListNotFoundError(NotFoundError):
    """There is no word list of this name."""


class ShippedListError(ValueError):
    """The list comes with Huiqun and is put back at every start; a policy says what follows from its category."""


def parse_word_file(content: str, form: RowFormat, list_name: str, *, keep_going: bool) -> ParsedRows[Word]:
    """Return the words of a file; unless `keep_going`, one bad row refuses the file: UnfitWordsError.

    A file that cannot be read to its end, or has no word, is refused in any case: it would empty the list in force.
    """
    read = parse_words(content, form, list_name)
    if read.faults and (read.is_cut_off or not read.records or not keep_going):
        raise UnfitWordsError(read.faults)
    if not read.records:
        raise UnfitWordsError((RowFault(1, "row", "no word follows; to have no list, remove it"),))
    return read


async def import_word_list(work: Work, command: ImportWordListCommand, author: str) -> tuple[WordList, bool]:
    """Put the file's words in the place of the list, in force everywhere once it is compiled, seconds later.

    Returns the list and whether it changed: a file that was imported before leaves everything as it is.
    Raises ShippedListError.
    """
    if author != SHIPPED_LIST:
        _check_not_shipped(command.list_name)
    known = await store.find_word_list(work, command.list_name)
    if known is not None and known.checksum == command.checksum and known.words == len(command.words):
        return known, False
    entry = WordList(command.list_name, len(command.words), command.checksum, author, work.now)
    await store.replace_word_list(work, entry, command.words)
    detail = {"words": entry.words, "checksum": entry.checksum, "before": known.words if known else None}
    await append_audit_entry(work, AuditEntry(author, "lexicon.list.imported", f"lexicon/{entry.name}", detail))
    return entry, True


async def delete_word_list(work: Work, name: str, actor: str) -> None:
    """Remove a list with its words; raises WordListNotFoundError, ShippedListError."""
    _check_not_shipped(name)
    if not await store.delete_word_list(work, name):
        raise WordListNotFoundError(name)
    await append_audit_entry(work, AuditEntry(actor, "lexicon.list.dropped", f"lexicon/{name}"))


async def get_word_list(reader: Reader, name: str) -> WordList:
    """Return the list of this name; raises WordListNotFoundError."""
    found = await store.find_word_list(reader, name)
    if found is None:
        raise WordListNotFoundError(name)
    return found


async def get_lexicon_revision(reader: Reader) -> LexiconRevision:
    """Return the revision of all word lists together."""
    return await store.get_lexicon_revision(reader)


async def list_lexicon_words(reader: Reader) -> tuple[LexiconRevision, list[Word]]:
    """Return every word of every list, all of one revision, and that revision."""
    revision, words = await store.get_lexicon_revision(reader), await store.list_all_words(reader)
    while (now := await store.get_lexicon_revision(reader)) != revision:
        # Replaced while they were read: they may be half old and half new.
        revision, words = now, await store.list_all_words(reader)
    return revision, words


async def import_shipped_lists(reader: Reader, transactor: Transactor) -> None:
    """Bring the lists that come with the service up to date; lists of the same content are left alone.

    Replicas that start at once conflict on a list, and whoever comes second finds it done.
    """
    present = {entry.name: entry.checksum for entry in await store.list_word_lists(reader)}
    for name in SHIPPED_LISTS:
        words = await asyncio.to_thread(shipped_words, name)
        command = ImportWordListCommand(name, words, checksum_text(repr(words)))
        if present.get(name) != command.checksum:
            await transactor.run(partial(import_word_list, command=command, author=SHIPPED_LIST))


def shipped_words(list_name: str = SHIPPED_LIST) -> tuple[Word, ...]:
    """Read a shipped list; raise ValueError, naming file and line, if a row of it is unfit."""
    words: list[Word] = []
    for category in SHIPPED_LISTS[list_name]:
        content = files(__package__).joinpath("data", f"{category}.csv").read_text(encoding="utf-8")
        read = parse_words(content, RowFormat.CSV, list_name)
        if read.faults:
            raise ValueError(f"{category}.csv: {read.faults[0]}")
        words.extend(read.records)
    return tuple(words)


def shipped_background() -> tuple[str, ...]:
    """Read what customers of a bank write every day and no rule should object to."""
    return tuple(files(__package__).joinpath("data", "background.txt").read_text(encoding="utf-8").splitlines())


def checksum_text(content: str) -> str:
    """Return the SHA-256 of a file's text."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _check_not_shipped(list_name: str) -> None:
    if list_name in SHIPPED_LISTS:
        raise ShippedListError(list_name)

"""Import word lists: those that operators bring, and those that come with the service."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.files.reading import ParsedRows, RowFault, RowFormat
from huiqun.store import Reader
from huiqun.work import Transactor, Work
from moderation.lexicon import store
from moderation.lexicon.model.rows import parse_words
from moderation.lexicon.model.words import Word
from moderation.lexicon.shipped import SHIPPED_LIST, SHIPPED_LISTS, shipped_words
from moderation.lexicon.store import WordList


@dataclass(frozen=True, slots=True)
class WordFile:
    """The words of a file that are to be a list; `checksum` is of its text."""

    list_name: str
    words: tuple[Word, ...]
    checksum: str


class UnfitWordsError(ValueError):
    """Rows of the file cannot be words, so none was taken; `faults` says which and why."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        super().__init__(f"{len(faults)} rows are unfit")
        self.faults = tuple(faults)


class UnknownListError(LookupError):
    """There is no word list of this name."""


class ShippedListError(ValueError):
    """The list comes with Huiqun and is put back at every start; a policy says what follows from its category."""


def read_words(content: str, form: RowFormat, list_name: str, *, keep_going: bool) -> ParsedRows[Word]:
    """The words of a file; unless `keep_going`, one bad row refuses the file: UnfitWordsError.

    A file that cannot be read to its end, or has no word, is refused in any case: it would empty the list in force.
    """
    read = parse_words(content, form, list_name)
    if read.faults and (read.is_cut_off or not read.records or not keep_going):
        raise UnfitWordsError(read.faults)
    if not read.records:
        raise UnfitWordsError((RowFault(1, "row", "no word follows; to have no list, remove it"),))
    return read


async def import_list(work: Work, file: WordFile, author: str) -> tuple[WordList, bool]:
    """Put the file's words in the place of the list, in force everywhere once it is compiled, seconds later.

    Returns the list and whether it changed: a file that was imported before leaves everything as it is.
    Raises ShippedListError.
    """
    if author != SHIPPED_LIST:
        _check_own(file.list_name)
    known = await store.find_list(work, file.list_name)
    if known is not None and known.checksum == file.checksum and known.words == len(file.words):
        return known, False
    entry = WordList(file.list_name, len(file.words), file.checksum, author, work.now)
    await store.replace_list(work, entry, file.words)
    detail = {"words": entry.words, "checksum": entry.checksum, "before": known.words if known else None}
    await append_audit_entry(work, AuditEntry(author, "lexicon.list.imported", f"lexicon/{entry.name}", detail))
    return entry, True


async def drop_list(work: Work, name: str, actor: str) -> None:
    """Remove a list with its words; raises UnknownListError, ShippedListError."""
    _check_own(name)
    if not await store.drop_list(work, name):
        raise UnknownListError(name)
    await append_audit_entry(work, AuditEntry(actor, "lexicon.list.dropped", f"lexicon/{name}"))


async def find_list(reader: Reader, name: str) -> WordList:
    """The list of this name; raises UnknownListError."""
    found = await store.find_list(reader, name)
    if found is None:
        raise UnknownListError(name)
    return found


async def import_shipped(reader: Reader, transactor: Transactor) -> None:
    """Bring the lists that come with the service up to date; lists of the same content are left alone.

    Replicas that start at once conflict on a list, and whoever comes second finds it done.
    """
    present = {entry.name: entry.checksum for entry in await store.lists(reader)}
    for name in SHIPPED_LISTS:
        words = await asyncio.to_thread(shipped_words, name)
        file = WordFile(name, words, checksum_of(repr(words)))
        if present.get(name) != file.checksum:
            await transactor.run(partial(import_list, file=file, author=SHIPPED_LIST))


def checksum_of(content: str) -> str:
    """The SHA-256 of a file's text."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _check_own(list_name: str) -> None:
    if list_name in SHIPPED_LISTS:
        raise ShippedListError(list_name)

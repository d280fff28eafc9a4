"""Import word lists: those that operators bring, and those that come with the service."""

import hashlib
from functools import partial

from huiqun.store import Database
from huiqun.stream import Transactor, Work
from moderation.lexicon import store
from moderation.lexicon.model.rows import RowError, WordImport, read_csv, read_jsonl
from moderation.lexicon.model.words import Word
from moderation.lexicon.shipped import SHIPPED_LIST, SHIPPED_LISTS, shipped_words
from moderation.lexicon.store import WordList

MAX_WORDS = 200_000


class UnfitWordsError(ValueError):
    """Rows of the file cannot be words, so none was taken; `errors` says which and why."""

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        super().__init__(f"{len(errors)} rows are unfit")
        self.errors = errors


class UnknownListError(LookupError):
    """There is no word list of this name."""


def read_words(content: str, list_name: str, *, jsonl: bool, keep_going: bool) -> WordImport:
    """The words of a file; unless `keep_going`, one bad row refuses the file: UnfitWordsError."""
    read = (read_jsonl if jsonl else read_csv)(content, list_name)
    if len(read.words) > MAX_WORDS:
        raise UnfitWordsError((RowError(MAX_WORDS, "row", f"a list has at most {MAX_WORDS} words"),))
    if read.errors and not keep_going:
        raise UnfitWordsError(read.errors)
    return read


async def import_list(work: Work, name: str, words: tuple[Word, ...], checksum: str, author: str) -> WordList:
    """Put these words in the place of the list; they are in force everywhere within two seconds."""
    entry = WordList(name, len(words), checksum, author, work.now)
    await store.replace_list(work, entry, words)
    return entry


async def drop_list(work: Work, name: str) -> None:
    """Remove a list; raises UnknownListError."""
    if not await store.drop_list(work, name):
        raise UnknownListError(name)


async def import_shipped(database: Database, transactor: Transactor) -> None:
    """Bring the lists that come with the service up to date; one of the same content is left alone."""
    present = {entry.name: entry.checksum for entry in await store.lists(database)}
    for name in SHIPPED_LISTS:
        words = shipped_words(name)
        checksum = checksum_of(repr(words))
        if present.get(name) != checksum:
            await transactor.run(partial(import_list, name=name, words=words, checksum=checksum, author=SHIPPED_LIST))


def checksum_of(content: str) -> str:
    """The SHA-256 of a file's text."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

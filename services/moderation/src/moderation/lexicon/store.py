"""Word lists in MongoDB, each in some documents of many words; a stamp tells every process when they have changed."""

import asyncio
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from heapq import merge
from typing import Any, Final

from huiqun.runtime.time_slice import TimeSlice
from huiqun.store import Index, Reader
from huiqun.work import Work
from moderation.lexicon.matching.words import Word
from moderation.lexicon.model import LexiconRevision, WordList

# A document for each word would be some hundred thousand writes to replace a list: more than a transaction takes.
WORDS = "words"
LISTS = "word_lists"
STAMPS = "stamps"
LEXICON_INDEXES: Final[Mapping[str, Sequence[Index]]] = {
    WORDS: (Index((("list", 1), ("last", 1))),),
    LISTS: (),
    STAMPS: (),
}
_CHUNK_WORDS = 1_000
_SORTED_AT_ONCE = 10_000
_CHUNK_CHARACTERS = 2_000_000  # at most six bytes each, and MongoDB takes documents of 16 MiB


async def get_lexicon_revision(reader: Reader) -> LexiconRevision:
    """The revision of all word lists together."""
    stamp = await reader.collection(STAMPS).find_one({"_id": "lexicon"})
    return LexiconRevision(int(stamp["revision"]), str(stamp["version"])) if stamp else LexiconRevision(0, "none")


async def list_all_words(reader: Reader) -> list[Word]:
    """Every word of every list."""
    # One document after the other, since decoding one stops this process for some milliseconds.
    documents = await reader.collection(WORDS).find({}, batch_size=1).to_list(None)
    return await asyncio.to_thread(_all_words, documents)


def _all_words(documents: list[dict[str, Any]]) -> list[Word]:
    """The words of all documents, which are let go one by one: all at once would stop this process as well."""
    found: list[Word] = []
    rest = deque(documents)
    documents.clear()
    while rest:
        found += _words(rest.popleft())
    return found


async def list_words(reader: Reader, list_name: str, after: str | None, limit: int) -> list[Word]:
    """Words of a list by id, after the given one."""
    query = {"list": list_name, "last": {"$gt": after or ""}}
    found: list[Word] = []
    async for document in reader.collection(WORDS).find(query, batch_size=2).sort("last", 1):
        found += [word for word in _words(document) if after is None or word.id > after]
        if len(found) >= limit:
            break
    return found[:limit]


async def list_word_lists(reader: Reader, after: str | None = None, limit: int = 1_000) -> list[WordList]:
    """The lists by name, after the given one; there are never many."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_list(document) async for document in reader.collection(LISTS).find(query).sort("_id", 1).limit(limit)]


async def find_word_list(reader: Reader, name: str) -> WordList | None:
    """The list of this name."""
    document = await reader.collection(LISTS).find_one({"_id": name})
    return _list(document) if document else None


async def replace_word_list(work: Work, entry: WordList, added: Sequence[Word]) -> None:
    """Put `added` in the place of the list's words and let every process know."""
    # The small document first: of two who import the same list, one conflicts here, before it has written the words.
    await work.collection(LISTS).replace_one(
        {"_id": entry.name},
        {
            "_id": entry.name,
            "words": entry.words,
            "checksum": entry.checksum,
            "imported_by": entry.imported_by,
            "imported_at": entry.imported_at,
        },
        upsert=True,
    )
    await work.collection(WORDS).delete_many({"list": entry.name})
    for chunk in _chunks(await _sort_words(added)):
        document = {"list": entry.name, "last": chunk[-1].id, "words": [_fields(word) for word in chunk]}
        await work.collection(WORDS).insert_one(document)
    await _stamp(work)


async def delete_word_list(work: Work, name: str) -> bool:
    """Remove a list with its words; False when there is none."""
    result = await work.collection(LISTS).delete_one({"_id": name})
    if not result.deleted_count:
        return False
    await work.collection(WORDS).delete_many({"list": name})
    await _stamp(work)
    return True


async def _stamp(work: Work) -> None:
    change = {"$inc": {"revision": 1}, "$set": {"version": work.now.astimezone(UTC).isoformat(timespec="milliseconds")}}
    await work.collection(STAMPS).update_one({"_id": "lexicon"}, change, upsert=True)


async def _sort_words(words: Sequence[Word]) -> Iterator[Word]:
    """The words by their id. Some hundred thousand are sorted in parts: at once, they would stop this process."""
    time_slice = TimeSlice()
    parts = []
    for start in range(0, len(words), _SORTED_AT_ONCE):
        parts.append(sorted(words[start : start + _SORTED_AT_ONCE], key=_id_of))
        if time_slice.is_spent:
            await time_slice.yield_to_loop()
    return merge(*parts, key=_id_of)


def _id_of(word: Word) -> str:
    return word.id


def _chunks(sorted_words: Iterable[Word]) -> Iterator[list[Word]]:
    chunk: list[Word] = []
    size = 0
    for word in sorted_words:
        chunk.append(word)
        size += len(word.id) + len(word.text) + sum(map(len, word.allow))
        if len(chunk) == _CHUNK_WORDS or size >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _fields(word: Word) -> list[Any]:
    days = [day.isoformat() if day is not None else None for day in (word.valid_from, word.valid_until)]
    return [word.id, word.text, word.category, word.severity, list(word.allow), *days]


def _words(document: Mapping[str, Any]) -> list[Word]:
    return [
        # Many words have the same category: one text for all of them.
        Word(word_id, text, sys.intern(category), severity, tuple(allow), _day(start), _day(end), document["list"])
        for word_id, text, category, severity, allow, start, end in document["words"]
    ]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _list(document: Mapping[str, Any]) -> WordList:
    return WordList(
        document["_id"], document["words"], document["checksum"], document["imported_by"], document["imported_at"]
    )

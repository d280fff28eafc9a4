"""Words in MongoDB, by list; a stamp tells every process when they have changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from huiqun.store import Database, Index, Session
from huiqun.stream import Work
from moderation.lexicon.model.words import Word

WORDS = "words"
LISTS = "word_lists"
STAMPS = "stamps"
INDEXES: Mapping[str, Sequence[Index]] = {
    WORDS: (Index((("list", 1), ("_id", 1))), Index((("category", 1), ("_id", 1)))),
    LISTS: (),
    STAMPS: (),
}
_CHUNK = 5_000
#: Called with the number of words written so far; starts again from below when the transaction does.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class WordList:
    """A list of words that is imported and replaced as a whole; `checksum` is of the file it came from."""

    name: str
    words: int
    checksum: str
    imported_by: str
    imported_at: datetime


async def revision(database: Database) -> tuple[int, str]:
    """A number that rises with every change, and the version that decisions name."""
    stamp = await database[STAMPS].find_one({"_id": "lexicon"})
    return (int(stamp["revision"]), str(stamp["version"])) if stamp else (0, "none")


async def words(database: Database) -> list[Word]:
    """Every word of every list."""
    return [_word(document) async for document in database[WORDS].find({}, batch_size=10_000)]


async def page(database: Database, list_name: str, after: str | None, limit: int) -> list[Word]:
    """Words of a list by id, after the given one."""
    query: dict[str, Any] = {"list": list_name}
    if after:
        query["_id"] = {"$gt": after}
    return [_word(document) async for document in database[WORDS].find(query).sort("_id", 1).limit(limit)]


async def lists(database: Database, after: str | None = None, limit: int = 1_000) -> list[WordList]:
    """The lists by name, after the given one; there are never many."""
    query = {"_id": {"$gt": after}} if after else {}
    return [_list(document) async for document in database[LISTS].find(query).sort("_id", 1).limit(limit)]


async def find_list(database: Database, name: str, session: Session | None = None) -> WordList | None:
    """The list of this name."""
    document = await database[LISTS].find_one({"_id": name}, session=session)
    return _list(document) if document else None


async def replace_list(work: Work, entry: WordList, added: Sequence[Word], progress: Progress | None = None) -> None:
    """Put `added` in the place of the list's words and let every process know."""
    # The small document first: of two who import the same list, one conflicts here, before it has written the words.
    await work.db[LISTS].replace_one(
        {"_id": entry.name},
        {
            "_id": entry.name,
            "words": entry.words,
            "checksum": entry.checksum,
            "imported_by": entry.imported_by,
            "imported_at": entry.imported_at,
        },
        upsert=True,
        session=work.session,
    )
    await work.db[WORDS].delete_many({"list": entry.name}, session=work.session)
    for start in range(0, len(added), _CHUNK):
        chunk = [_document(word) for word in added[start : start + _CHUNK]]
        await work.db[WORDS].insert_many(chunk, ordered=False, session=work.session)
        if progress is not None:
            progress(start + len(chunk))
    await _stamp(work)


async def drop_list(work: Work, name: str) -> bool:
    """Remove a list with its words; False when there is none."""
    result = await work.db[LISTS].delete_one({"_id": name}, session=work.session)
    if not result.deleted_count:
        return False
    await work.db[WORDS].delete_many({"list": name}, session=work.session)
    await _stamp(work)
    return True


async def _stamp(work: Work) -> None:
    change = {"$inc": {"revision": 1}, "$set": {"version": work.now.astimezone(UTC).isoformat(timespec="milliseconds")}}
    await work.db[STAMPS].update_one({"_id": "lexicon"}, change, upsert=True, session=work.session)


def _document(word: Word) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": word.id,
        "list": word.list_name,
        "text": word.text,
        "category": word.category,
        "severity": word.severity,
    }
    if word.allow:
        document["allow"] = list(word.allow)
    for name, day in (("valid_from", word.valid_from), ("valid_until", word.valid_until)):
        if day is not None:
            document[name] = day.isoformat()
    return document


def _word(document: Mapping[str, Any]) -> Word:
    return Word(
        id=document["_id"],
        text=document["text"],
        category=document["category"],
        severity=document["severity"],
        allow=tuple(document.get("allow", ())),
        valid_from=_day(document.get("valid_from")),
        valid_until=_day(document.get("valid_until")),
        list_name=document["list"],
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _list(document: Mapping[str, Any]) -> WordList:
    return WordList(
        document["_id"], document["words"], document["checksum"], document["imported_by"], document["imported_at"]
    )

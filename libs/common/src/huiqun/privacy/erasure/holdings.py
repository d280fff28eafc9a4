"""What is held in the documents of a collection, and what becomes of them: erased, rewritten without names, or kept."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from huiqun.contracts.privacy import ErasureResult, Outcome
from huiqun.privacy.erasure.model import Subject
from huiqun.store import Reader, UpdateOne
from huiqun.work import Work

#: How many documents are changed in one transaction.
PORTION_SIZE: Final = 1_000
Query: TypeAlias = Mapping[str, Any]
Document: TypeAlias = Mapping[str, Any]
Show = Callable[[Document, Subject], Document]


@dataclass(frozen=True, slots=True)
class ErasedPortion:
    """What became of a portion of a holding; `is_done` where nothing of it is left to be looked at."""

    results: tuple[ErasureResult, ...] = ()
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class PersonalDataHolding:
    """One kind of data that a service holds of people: `what`, in words for them, and the collections it stands in.

    `erase` is called until it is done, each time in a transaction of its own, and so takes a bounded portion; it says
    what is kept, why and until when. `read` gives what of it a person is shown, None where that is nothing.
    """

    what: str
    collections: tuple[str, ...]
    erase: Callable[[Work, Subject], Awaitable[ErasedPortion]]
    read: Callable[[Reader, Subject], AsyncIterator[Document]] | None = None


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """The documents of a collection that are about a person, by an index, and what of them the person is shown.

    `show` says it from a document, where the names of the fields are not enough; without either nothing is shown.
    """

    what: str
    collection: str
    query: Callable[[Subject], Query]
    fields: tuple[str, ...] = ()
    show: Show | None = None

    def holding(self, erase: Callable[[Work, Subject], Awaitable[ErasedPortion]]) -> PersonalDataHolding:
        """The holding that is made of these documents, erased in this way."""
        read = self.read if self.fields or self.show else None
        return PersonalDataHolding(self.what, (self.collection,), erase, read)

    async def read(self, reader: Reader, subject: Subject) -> AsyncIterator[Document]:
        """What the person is shown, a document at a time."""
        wanted = self.fields if self.show is None else None
        async for document in reader.collection(self.collection).find(self.query(subject), wanted):
            yield document if self.show is None else self.show(document, subject)


@dataclass(frozen=True, slots=True)
class RetentionGround:
    """Why documents are kept, and until when: so long after the date in a field.

    Those without the date are kept for `ground_without`, and nobody knows yet until when.
    """

    ground: str
    dated_by: str
    ground_without: str | None = None
    after: timedelta = timedelta()


def erasable_holding(documents: DocumentSet) -> PersonalDataHolding:
    """Documents that are deleted."""

    async def erase(work: Work, subject: Subject) -> ErasedPortion:
        collection = work.collection(documents.collection)
        found = await collection.find(documents.query(subject), {"_id": 1}).limit(PORTION_SIZE).to_list(None)
        if not found:
            return ErasedPortion()
        await collection.delete_many({"_id": {"$in": [each["_id"] for each in found]}})
        return ErasedPortion((ErasureResult(what=documents.what, outcome=Outcome.ERASED),), len(found) < PORTION_SIZE)

    return documents.holding(erase)


def anonymizable_holding(
    documents: DocumentSet,
    change: Callable[[Document, Subject], Mapping[str, Any]],
    outcome: Outcome = Outcome.ANONYMISED,
) -> PersonalDataHolding:
    """Documents of others, or of things, that go on without the person; the query does not find them any more then."""

    async def erase(work: Work, subject: Subject) -> ErasedPortion:
        collection = work.collection(documents.collection)
        found = await collection.find(documents.query(subject)).limit(PORTION_SIZE).to_list(None)
        if not found:
            return ErasedPortion()
        await collection.bulk_write([UpdateOne({"_id": each["_id"]}, change(each, subject)) for each in found])
        return ErasedPortion((ErasureResult(what=documents.what, outcome=outcome),), len(found) < PORTION_SIZE)

    return documents.holding(erase)


def retained_holding(documents: DocumentSet, retention: RetentionGround) -> PersonalDataHolding:
    """Documents that stay; what is said of them is found by the server alone, however many there are."""

    async def erase(work: Work, subject: Subject) -> ErasedPortion:
        dated = {"$eq": [{"$type": f"${retention.dated_by}"}, "date"]}
        grouped = {"$group": {"_id": dated, "last": {"$max": f"${retention.dated_by}"}}}
        pipeline: list[Query] = [{"$match": documents.query(subject)}, grouped, {"$sort": {"_id": -1}}]
        cursor = await work.collection(documents.collection).aggregate(pipeline)
        results = [
            ErasureResult(
                what=documents.what,
                outcome=Outcome.KEPT,
                ground=retention.ground if each["_id"] else retention.ground_without or retention.ground,
                until=each["last"] + retention.after if each["_id"] else None,
            )
            async for each in cursor
        ]
        return ErasedPortion(tuple(results))

    return documents.holding(erase)


def unsearched_holding(
    what: str, collections: tuple[str, ...], ground: str, retention: timedelta | None = None
) -> PersonalDataHolding:
    """Data that names people by ids, if at all, and is not looked through for anybody; it is kept so long at most."""

    async def erase(work: Work, _: Subject) -> ErasedPortion:
        until = work.now + retention if retention is not None else None
        return ErasedPortion((ErasureResult(what=what, outcome=Outcome.KEPT, ground=ground, until=until),))

    return PersonalDataHolding(what, collections, erase)

"""Collections as they are read and written within a transaction, or deliberately outside of any.

Nobody passes a session by hand, so no read of a use case slips out of its transaction.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypedDict, Unpack

from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.errors import BulkWriteError
from pymongo.results import BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from huiqun.store.connection import Collection, Cursor, Database, Session
from huiqun.store.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne

Query: TypeAlias = Mapping[str, Any]
#: The fields that are wanted by name, or as the server has it.
Projection: TypeAlias = Mapping[str, Any] | Sequence[str]
#: Operators by name, or the stages of a pipeline.
Update: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Operation: TypeAlias = InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]] | UpdateOne | DeleteOne | DeleteMany

# A command is a document, and MongoDB takes none over 16 MiB.
_UPDATES_AT_ONCE: Final = 1_000


class FindOptions(TypedDict, total=False):
    """How documents are found: in which order, and how many of them the first answer of the server holds."""

    sort: Sequence[tuple[str, int]]
    batch_size: int


class AggregateOptions(TypedDict, total=False):
    """By which index a pipeline begins."""

    hint: Mapping[str, Any]


class CountOptions(TypedDict, total=False):
    """By which index documents are counted, and up to how many."""

    hint: Sequence[tuple[str, int]]
    limit: int


class ReadCollection:
    """A collection for reading, in the transaction of a session or, without one, outside of any."""

    __slots__ = ("_collection", "_session")

    def __init__(self, collection: Collection, session: Session | None) -> None:
        self._collection = collection
        self._session = session

    def find(
        self, query: Query | None = None, projection: Projection | None = None, **options: Unpack[FindOptions]
    ) -> Cursor:
        """Find the documents that the query fits; nothing is sent before the cursor is read."""
        return self._collection.find(query, projection, session=self._session, **options)

    async def find_one(
        self, query: Query, projection: Projection | None = None, **options: Unpack[FindOptions]
    ) -> dict[str, Any] | None:
        """Find the first document that the query fits; None if there is none."""
        return await self._collection.find_one(query, projection, session=self._session, **options)

    async def aggregate(
        self, pipeline: Sequence[Mapping[str, Any]], **options: Unpack[AggregateOptions]
    ) -> AsyncCommandCursor[dict[str, Any]]:
        """Send the documents through the stages of a pipeline."""
        return await self._collection.aggregate(pipeline, session=self._session, **options)

    async def count_documents(self, query: Query, **options: Unpack[CountOptions]) -> int:
        """Count the documents that the query fits."""
        return await self._collection.count_documents(query, session=self._session, **options)


class BoundCollection(ReadCollection):
    """A collection for reading and writing, in the transaction of a session or, without one, outside of any."""

    __slots__ = ()

    async def insert_one(self, document: dict[str, Any]) -> InsertOneResult:
        """Insert a document; raises DuplicateKey if it is there already."""
        return await self._collection.insert_one(document, session=self._session)

    async def insert_many(self, documents: Sequence[dict[str, Any]], *, ordered: bool = True) -> InsertManyResult:
        """Insert documents; raises BulkWriteError if one is refused, which ends it where they are ordered."""
        return await self._collection.insert_many(documents, ordered, session=self._session)

    async def update_one(self, query: Query, update: Update, *, upsert: bool = False) -> UpdateResult:
        """Change the first document that the query fits."""
        return await self._collection.update_one(query, update, upsert, session=self._session)

    async def update_many(self, query: Query, update: Update) -> UpdateResult:
        """Change all documents that the query fits."""
        return await self._collection.update_many(query, update, session=self._session)

    async def replace_one(self, query: Query, document: Mapping[str, Any], *, upsert: bool = False) -> UpdateResult:
        """Put a document in the place of the first that the query fits."""
        return await self._collection.replace_one(query, document, upsert, session=self._session)

    async def delete_one(self, query: Query) -> DeleteResult:
        """Delete the first document that the query fits."""
        return await self._collection.delete_one(query, session=self._session)

    async def delete_many(self, query: Query) -> DeleteResult:
        """Delete all documents that the query fits."""
        return await self._collection.delete_many(query, session=self._session)

    async def bulk_write(self, operations: Sequence[Operation], *, ordered: bool = True) -> BulkWriteResult:
        """Carry out operations; raises BulkWriteError if one is refused, which ends it where they are ordered."""
        return await self._collection.bulk_write(operations, ordered, session=self._session)

    async def find_one_and_update(self, query: Query, update: Update, *, upsert: bool = False) -> dict[str, Any] | None:
        """Change the first document that the query fits, and return it as it is then; None if there is none."""
        return await self._collection.find_one_and_update(
            query, update, upsert=upsert, return_document=True, session=self._session
        )

    async def update_each(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Carry out many small updates in any order, written as the update command has them: `q`, `u` and `upsert`.

        The driver's bulk write spends more on each than the update itself. Each may be of 15 kB at most. Raises
        BulkWriteError where the server refuses one.
        """
        for start in range(0, len(updates), _UPDATES_AT_ONCE):
            some = updates[start : start + _UPDATES_AT_ONCE]
            command = {"update": self._collection.name, "updates": some, "ordered": False}
            answer = await self._collection.database.command(command, session=self._session)
            if answer.get("writeErrors"):
                raise BulkWriteError(answer)


class Reader(ABC):
    """Where a function reads that is called within a transaction and outside of it: a `Work` or `OutsideTransaction`.

    No protocol: the driver's database would pass for one, as it has a collection under every name.
    """

    __slots__ = ()

    @abstractmethod
    def collection(self, name: str) -> ReadCollection:
        """The collection of this name."""


class OutsideTransaction(Reader):
    """A database outside of any transaction: a read sees what is committed when it is asked, a write stands alone.

    A use case has a transaction, and never comes here.
    """

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def collection(self, name: str) -> BoundCollection:
        """The collection of this name, bound to no transaction."""
        return BoundCollection(self._database[name], None)

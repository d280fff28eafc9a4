"""Indexes are declared beside the documents and created when a service starts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from huiqun.store.connection import Database

_NAMESPACE_EXISTS = 48
_NAMESPACE_NOT_FOUND, _INDEX_NOT_FOUND = 26, 27


@dataclass(frozen=True, slots=True)
class Index:
    """An index on `keys`, (field, 1 or -1) pairs; `expires_after` deletes documents whose date is that old."""

    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    expires_after: timedelta | None = None
    where: Mapping[str, Any] | None = None

    def model(self) -> IndexModel:
        """The driver's form of this index."""
        options: dict[str, Any] = {}
        if self.unique:
            options["unique"] = True
        if self.expires_after is not None:
            options["expireAfterSeconds"] = int(self.expires_after.total_seconds())
        if self.where is not None:
            options["partialFilterExpression"] = dict(self.where)
        return IndexModel(list(self.keys), **options)


async def ensure_indexes(database: Database, indexes: Mapping[str, Sequence[Index]]) -> None:
    """Create the collections and the indexes that are missing; safe to run from several processes at once.

    The collections are made here because creating one inside a transaction would conflict with its neighbours.
    """
    present = set(await database.list_collection_names())
    await asyncio.gather(*(_create(database, name) for name in indexes if name not in present))
    for name, declared in indexes.items():
        if declared:
            await database[name].create_indexes([index.model() for index in declared])


async def drop_index(database: Database, collection: str, name: str) -> None:
    """Drop an index that nobody needs any more, if it is there."""
    try:
        await database[collection].drop_index(name)
    except OperationFailure as error:
        if error.code not in (_INDEX_NOT_FOUND, _NAMESPACE_NOT_FOUND):
            raise


async def _create(database: Database, name: str) -> None:
    try:
        await database.create_collection(name)
    except CollectionInvalid:
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise

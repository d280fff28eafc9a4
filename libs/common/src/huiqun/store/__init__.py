"""MongoDB: the connection, transactions, indexes. The only module that knows which driver is used."""

from huiqun.store.abandoned import AbandonedTransactions
from huiqun.store.connection import Client, Collection, Cursor, Database, Session, close, connect, ping
from huiqun.store.errors import (
    BulkWriteError,
    DuplicateKey,
    StoreError,
    commit_outcome_is_unknown,
    is_abort,
    is_too_large,
    is_transient,
)
from huiqun.store.indexes import Index, ensure_indexes
from huiqun.store.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne
from huiqun.store.presence import PRESENCE_INDEXES, Presence
from huiqun.store.transaction import transaction
from huiqun.store.updates import update_each

Document = dict[str, object]

__all__ = [
    "PRESENCE_INDEXES",
    "AbandonedTransactions",
    "BulkWriteError",
    "Client",
    "Collection",
    "Cursor",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "Document",
    "DuplicateKey",
    "Index",
    "InsertOne",
    "Presence",
    "ReplaceOne",
    "Session",
    "StoreError",
    "UpdateOne",
    "close",
    "commit_outcome_is_unknown",
    "connect",
    "ensure_indexes",
    "is_abort",
    "is_too_large",
    "is_transient",
    "ping",
    "transaction",
    "update_each",
]

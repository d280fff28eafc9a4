"""MongoDB: the connection, transactions, indexes. The only module that knows the drivers."""

from huiqun.store.abandoned import AbandonedTransactions
from huiqun.store.bound import BoundCollection, Operation, Outside, Reader
from huiqun.store.connection import (
    Client,
    Collection,
    Cursor,
    Database,
    Session,
    check_access,
    close,
    connect,
    majority_reads,
    ping,
)
from huiqun.store.errors import (
    BulkWriteError,
    DuplicateKey,
    StoreError,
    WriteConflictError,
    commit_outcome_is_unknown,
    is_abort,
    is_too_large,
    is_transient,
    is_write_conflict,
)
from huiqun.store.indexes import Index, drop_index, ensure_indexes
from huiqun.store.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne
from huiqun.store.options import Driver, MongoOptions, UnfitUrlError, read_url
from huiqun.store.presence import PRESENCE_INDEXES, Presence
from huiqun.store.refusals import StoreRefusesError, explain
from huiqun.store.transaction import transaction

Document = dict[str, object]

__all__ = [
    "PRESENCE_INDEXES",
    "AbandonedTransactions",
    "BoundCollection",
    "BulkWriteError",
    "Client",
    "Collection",
    "Cursor",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "Document",
    "Driver",
    "DuplicateKey",
    "Index",
    "InsertOne",
    "MongoOptions",
    "Operation",
    "Outside",
    "Presence",
    "Reader",
    "ReplaceOne",
    "Session",
    "StoreError",
    "StoreRefusesError",
    "UnfitUrlError",
    "UpdateOne",
    "WriteConflictError",
    "check_access",
    "close",
    "commit_outcome_is_unknown",
    "connect",
    "drop_index",
    "ensure_indexes",
    "explain",
    "is_abort",
    "is_too_large",
    "is_transient",
    "is_write_conflict",
    "majority_reads",
    "ping",
    "read_url",
    "transaction",
]

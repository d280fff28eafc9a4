"""MongoDB: the connection, transactions, indexes. The only module that knows the drivers."""

from huiqun.store.abandoned import AbandonedTransactions
from huiqun.store.bound import BoundCollection, Operation, OutsideTransaction, Reader
from huiqun.store.connection import (
    Client,
    Collection,
    Cursor,
    Database,
    Session,
    check_access,
    close_client,
    connect,
    majority_reads,
    ping_primary,
)
from huiqun.store.errors import (
    BulkWriteError,
    DuplicateKey,
    StoreError,
    WriteConflictError,
    commit_outcome_is_unknown,
    is_too_large,
    is_transaction_abort,
    is_transient,
    is_write_conflict,
)
from huiqun.store.indexes import Index, drop_index, ensure_indexes
from huiqun.store.operations import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne
from huiqun.store.options import Driver, InvalidMongoUrlError, MongoOptions, parse_mongo_url
from huiqun.store.presence import PRESENCE_INDEXES, Presence
from huiqun.store.refusals import StoreRefusesError, explain_store_error
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
    "InvalidMongoUrlError",
    "MongoOptions",
    "Operation",
    "OutsideTransaction",
    "Presence",
    "Reader",
    "ReplaceOne",
    "Session",
    "StoreError",
    "StoreRefusesError",
    "UpdateOne",
    "WriteConflictError",
    "check_access",
    "close_client",
    "commit_outcome_is_unknown",
    "connect",
    "drop_index",
    "ensure_indexes",
    "explain_store_error",
    "is_too_large",
    "is_transaction_abort",
    "is_transient",
    "is_write_conflict",
    "majority_reads",
    "parse_mongo_url",
    "ping_primary",
    "transaction",
]

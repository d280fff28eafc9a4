"""Which errors of the store pass by themselves, and which do not."""

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)

from huiqun.store.refusals import StoreRefusesError, explain_store_error

StoreError = PyMongoError


class WriteConflictError(PyMongoError):
    """Another transaction wrote the same thing first; the use case has to be run again."""


DuplicateKey = DuplicateKeyError

# Not primary, stepping down, shutting down, write conflict, lock timeout, no such transaction or cursor (the server
# restarted), a transaction that lasted too long, snapshot unavailable, read concern majority not available yet.
_TRANSIENT_CODES = frozenset(
    {6, 7, 24, 43, 64, 89, 91, 112, 134, 189, 246, 251, 262, 290, 9001, 10107, 11600, 11602, 13435, 13436}
)
# A transaction too large as a whole or for the cache, a document over 16 MiB, a message over 48 MB.
_TOO_LARGE_CODES = frozenset({257, 388, 10334, 17420})

_CONFLICT_CODES = frozenset({24, 112})  # lock timeout, write conflict


def is_transient(error: BaseException) -> bool:
    """Whether the same operation may succeed when it is tried again.

    Also where an operator has to mend something first: none of the work that waits is to blame for it.
    """
    lasting = isinstance(error, StoreRefusesError) or explain_store_error(error) is not None
    if lasting or isinstance(error, ConnectionFailure | ExecutionTimeout | WriteConflictError):
        return True
    if isinstance(error, BulkWriteError):
        return any(item.get("code") in _TRANSIENT_CODES for item in error.details.get("writeErrors", ()))
    if isinstance(error, OperationFailure):
        return error.has_error_label("TransientTransactionError") or error.code in _TRANSIENT_CODES
    return False


def is_transaction_abort(error: BaseException) -> bool:
    """Whether the store is there and this very work did not get through: it took too long, or met another's.

    Once that may be chance. Again and again, it is the work.
    """
    if isinstance(error, ConnectionFailure | StoreRefusesError) or explain_store_error(error) is not None:
        return False
    return is_transient(error)


def is_too_large(error: BaseException) -> bool:
    """Whether the store refuses this much at once."""
    if isinstance(error, BulkWriteError):
        return any(item.get("code") in _TOO_LARGE_CODES for item in error.details.get("writeErrors", ()))
    return isinstance(error, DocumentTooLarge) or (
        isinstance(error, OperationFailure) and error.code in _TOO_LARGE_CODES
    )


def is_write_conflict(error: BaseException) -> bool:
    """Whether the store answers, and only somebody else's write was in the way."""
    if isinstance(error, BulkWriteError):
        return any(item.get("code") in _CONFLICT_CODES for item in error.details.get("writeErrors", ()))
    if isinstance(error, OperationFailure):
        return error.code in _CONFLICT_CODES
    return isinstance(error, WriteConflictError)


def commit_outcome_is_unknown(error: BaseException) -> bool:
    """Whether the transaction may have been committed although its answer is lost."""
    return isinstance(error, PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")


__all__ = [
    "BulkWriteError",
    "DuplicateKey",
    "StoreError",
    "WriteConflictError",
    "commit_outcome_is_unknown",
    "is_too_large",
    "is_transaction_abort",
    "is_transient",
    "is_write_conflict",
]

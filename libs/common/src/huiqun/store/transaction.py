"""A transaction: snapshot reads, majority commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pymongo
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from huiqun.store.abandoned import mark_transaction_closed, mark_transaction_open
from huiqun.store.connection import Client, Session
from huiqun.store.errors import commit_outcome_is_unknown, is_transient

_COMMIT_TRIES = 3
# A courtesy: what is not aborted is not committed either. Who stops because the server is away does not wait for it.
_ABORT_SECONDS = 1.0


@asynccontextmanager
async def transaction(client: Client) -> AsyncIterator[Session]:
    """Commit what the block did under the session, or nothing of it when it raises.

    A commit whose answer is lost is repeated, which is safe; when its outcome stays unknown, the error is raised
    and `commit_outcome_is_unknown` tells.
    """
    session = client.start_session()
    try:
        await session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", wtimeout=30_000)
        )
        mark_transaction_open(session)
        yield session
        await _commit(session)
    finally:
        mark_transaction_closed(session)
        # This aborts what is not committed.
        with pymongo.timeout(_ABORT_SECONDS):
            await session.end_session()


async def _commit(session: Session) -> None:
    for left in reversed(range(_COMMIT_TRIES)):
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not (left and commit_outcome_is_unknown(error) and is_transient(error)):
                raise
        else:
            return

"""How a process reaches MongoDB: one client, with every wait bounded."""

from typing import Any, TypeAlias

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from huiqun.store.options import MongoOptions
from huiqun.store.refusals import require_replica_set

Client: TypeAlias = "AsyncMongoClient[dict[str, Any]]"
Database: TypeAlias = "AsyncDatabase[dict[str, Any]]"
Collection: TypeAlias = "AsyncCollection[dict[str, Any]]"
Cursor: TypeAlias = "AsyncCursor[dict[str, Any]]"
Session: TypeAlias = AsyncClientSession

_CHECK_SECONDS = 2.5


def connect(server: MongoOptions | str, *, app_name: str = "huiqun", wait_milliseconds: int = 5_000) -> Client:
    """A client for the replica set, whose URL is enough if it needs no more; nothing is sent before an operation.

    Writes are acknowledged by a majority and dates come back in UTC. Choosing a server waits `wait_milliseconds`,
    an operation on a socket at most 30 s.
    """
    options = server if isinstance(server, MongoOptions) else MongoOptions(server)
    return AsyncMongoClient(
        options.url,
        **options.arguments(),
        appname=app_name,
        tz_aware=True,
        w="majority",
        serverSelectionTimeoutMS=wait_milliseconds,
        connectTimeoutMS=wait_milliseconds,
        socketTimeoutMS=30_000,
        retryWrites=True,
        uuidRepresentation="standard",
    )


def majority_reads(database: Database) -> Database:
    """The same database, read without what a new primary might not know of."""
    return database.with_options(read_concern=ReadConcern("majority"))


async def close(client: Client) -> None:
    """Say goodbye to the server and close the connections, within a second where it does not answer."""
    with pymongo.timeout(1):
        await client.close()


async def ping(client: Client) -> None:
    """Ask the primary for an answer; raises a transient error where there is none.

    StoreRefusesError if it knows no transactions.
    """
    require_replica_set(await client.admin.command("hello"))


async def check_access(database: Database) -> None:
    """Ask the primary whether it lets us read the database, as `ping` does whether it is there; within 2.5 s.

    That is less than who asks for readiness waits, so that the driver gets to say why it found no primary.
    """
    with pymongo.timeout(_CHECK_SECONDS):
        await ping(database.client)
        await database["outbox"].find_one({}, {"_id": 1})

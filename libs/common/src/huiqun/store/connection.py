"""How a process reaches MongoDB: one client, with every wait bounded."""

import secrets
from typing import Any, TypeAlias

import pymongo
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from huiqun.store.cancellation import backport_wait_for
from huiqun.store.options import MongoOptions
from huiqun.store.refusals import require_replica_set

# The face of both drivers; behind it may be Motor.
Client: TypeAlias = "AsyncMongoClient[dict[str, Any]]"
Database: TypeAlias = "AsyncDatabase[dict[str, Any]]"
Collection: TypeAlias = "AsyncCollection[dict[str, Any]]"
Cursor: TypeAlias = "AsyncCursor[dict[str, Any]]"
Session: TypeAlias = AsyncClientSession
BlockingClient: TypeAlias = "MongoClient[dict[str, Any]]"

# Between what a client works for and which of its processes it is; MongoDB takes 128 bytes of both.
_INSTANCE = "#"

_CHECK_SECONDS = 2.5


def connect(server: MongoOptions | str, *, app_name: str = "huiqun", wait_milliseconds: int = 5_000) -> Client:
    """A client for the replica set, whose URL is enough if it needs no more; nothing is sent before an operation.

    To the server it goes by `app_name` and an instance of its own, so that what a dead process left open there can be
    told from the work of living ones. Writes are acknowledged by a majority and dates come back in UTC. Choosing a
    server waits `wait_milliseconds`, an operation on a socket at most 30 s.
    """
    backport_wait_for()
    options = server if isinstance(server, MongoOptions) else MongoOptions(server)
    arguments = options.arguments() | {
        "appname": full_app_name(app_name, secrets.token_hex(8)),
        "tz_aware": True,
        "w": "majority",
        "serverSelectionTimeoutMS": wait_milliseconds,
        "connectTimeoutMS": wait_milliseconds,
        "socketTimeoutMS": 30_000,
        "retryWrites": True,
        "uuidRepresentation": "standard",
    }
    if options.driver == "motor":
        from huiqun.store.motor_client import motor_client  # noqa: PLC0415 - takes its time, and only Motor needs it

        return motor_client(options.url, arguments)
    return AsyncMongoClient(options.url, **arguments)


def connect_blocking(server: MongoOptions | str, *, app_name: str, wait_milliseconds: int) -> BlockingClient:
    """A client for a thread of its own that sends little; each wait is bounded by `wait_milliseconds`."""
    options = server if isinstance(server, MongoOptions) else MongoOptions(server)
    return MongoClient(
        options.url,
        **options.arguments(),
        appname=app_name,
        maxPoolSize=1,
        serverSelectionTimeoutMS=wait_milliseconds,
        connectTimeoutMS=wait_milliseconds,
        socketTimeoutMS=wait_milliseconds,
        uuidRepresentation="standard",
    )


def app_name_of(client: Client) -> str:
    """What a client works for, as it was given to `connect`."""
    return str(client.options.pool_options.appname).rpartition(_INSTANCE)[0]


def client_instance_of(client: Client) -> str:
    """Which one it is of the clients of this name."""
    return parse_client_instance(str(client.options.pool_options.appname))


def full_app_name(app_name: str, instance: str) -> str:
    """How the server shows a client."""
    return f"{app_name}{_INSTANCE}{instance}"


def parse_client_instance(name: str) -> str:
    """The instance in a name that the server shows."""
    return name.rpartition(_INSTANCE)[2]


def majority_reads(database: Database) -> Database:
    """The same database, read without what a new primary might not know of."""
    return database.with_options(read_concern=ReadConcern("majority"))


async def close_client(client: Client) -> None:
    """Say goodbye to the server and close the connections, within a second where it does not answer."""
    with pymongo.timeout(1):
        await client.close()


async def ping_primary(client: Client) -> None:
    """Ask the primary for an answer; raises a transient error where there is none.

    StoreRefusesError if it knows no transactions.
    """
    require_replica_set(await client.admin.command("hello"))


async def check_access(database: Database) -> None:
    """Ask the primary whether it lets us read the database, as `ping` does whether it is there; within 2.5 s.

    That is less than who asks for readiness waits, so that the driver gets to say why it found no primary.
    """
    with pymongo.timeout(_CHECK_SECONDS):
        await ping_primary(database.client)
        await database["outbox"].find_one({}, {"_id": 1})

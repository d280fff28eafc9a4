"""Ends the transactions that a killed process left open, which would keep its successor waiting for a minute."""

from datetime import timedelta
from typing import Any

from bson.binary import Binary
from pymongo.errors import OperationFailure

from huiqun.store.connection import Client

# A living process is in the middle of a transaction for milliseconds; should one be slower than this after all, its
# transaction is run again.
_IDLE = timedelta(seconds=3)
_NOT_ALLOWED = frozenset({13, 8000})  # unauthorized, and how Atlas' small clusters say it


async def end_abandoned_transactions(client: Client) -> int:
    """End the transactions of this service in which nothing has happened for 3 s, and return how many there were.

    The server does not notice that their client is gone: it keeps their locks for transactionLifetimeLimitSeconds,
    60 by default. Asking for and ending one's own sessions needs no privilege; where it is forbidden all the same,
    that minute has to pass.
    """
    name = client.options.pool_options.appname
    query = {
        "type": "idleSession",
        "appName": name,
        "transaction.timeInactiveMicros": {"$gt": _IDLE // timedelta(microseconds=1)},
    }
    pipeline: list[dict[str, Any]] = [{"$currentOp": {"allUsers": False, "idleSessions": True}}, {"$match": query}]
    try:
        found = await client.admin.aggregate(pipeline)
        sessions = [{"id": Binary.from_uuid(each["lsid"]["id"])} async for each in found]
        if sessions:
            await client.admin.command({"killSessions": sessions})
    except OperationFailure as error:
        if error.code not in _NOT_ALLOWED:
            raise
        return 0
    return len(sessions)

"""Ends the transactions that nobody will ever finish, which would keep others waiting for a minute.

The server does not notice that their client is gone: it keeps their locks for transactionLifetimeLimitSeconds, 60 by
default. How long nothing has happened in a transaction says nothing: its process may be busy, or stopped for a while.
"""

import re
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from bson.binary import Binary
from pymongo.errors import OperationFailure

from huiqun.store.connection import Client, Database, Session, app_name_of, full_name, instance_in, instance_of
from huiqun.store.presence import PROCESSES

# So long without a heartbeat, of which there is one a second, and a process is gone or stopped.
_GONE: Final = timedelta(seconds=5)
# A process writes its first heartbeat before it opens a transaction: one without any has been gone for long.
_OLD: Final = timedelta(seconds=10)
_NOT_ALLOWED: Final = frozenset({13, 8000})  # unauthorized, and how Atlas' small clusters say it
_MOST_LEFT: Final = 1_000
_MICROSECOND: Final = timedelta(microseconds=1)

# For each instance of this process: the sessions whose transaction it could perhaps not end itself, and since when.
_left_open: dict[str, dict[UUID, float]] = {}


def note_left_open(session: Session) -> None:
    """Remember that a transaction ended without a commit: perhaps the server has not heard of it."""
    left = _left_open.setdefault(instance_of(session.client), {})
    if len(left) < _MOST_LEFT:
        left[session.session_id["id"].as_uuid()] = time.monotonic()


class AbandonedTransactions:
    """Finds and ends the transactions of a service that belong to processes which are gone, and those that this one
    has given up.

    A process is gone when its heartbeat has stopped: by the server's clock, and between two looks, in which this
    one's own was written. After an outage of the store, in which nobody's was, all are given the time to go on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._beats: dict[str, int] = {}
        #: How many of those that were ended last this process had itself given up.
        self.given_up = 0

    async def end(self) -> int:
        """End those that are abandoned now, and return how many there were.

        Asking for and ending one's own sessions needs no privilege; where it is forbidden all the same, the server's
        minute has to pass.
        """
        client = self._database.client
        try:
            sessions = [{"id": Binary.from_uuid(each)} for each in await self._abandoned(client)]
            if sessions:
                await client.admin.command({"killSessions": sessions})
        except OperationFailure as error:
            if error.code not in _NOT_ALLOWED:
                raise
            return 0
        return len(sessions)

    async def _abandoned(self, client: Client) -> list[UUID]:
        """The sessions whose transaction nobody will finish."""
        looked = time.monotonic()
        gone, known = await self._gone()
        own = instance_of(client)
        left = _left_open.get(own, {})
        found: list[UUID] = []
        open_here: set[UUID] = set()
        self.given_up = 0
        for each in await _idle_transactions(client):
            instance, session, transaction = instance_in(each["appName"]), each["lsid"]["id"], each["transaction"]
            if instance == own:
                open_here.add(session)
                # Where something has happened since it was given up, the session is at work again.
                idle = transaction["timeInactiveMicros"] / 1e6
                if session in left and idle >= looked - left[session]:
                    found.append(session)
                    self.given_up += 1
            elif instance in gone or (instance not in known and transaction["timeOpenMicros"] * _MICROSECOND >= _OLD):
                found.append(session)
        for session in [each for each, since in left.items() if since < looked and each not in open_here]:
            del left[session]
        return found

    async def _gone(self) -> tuple[set[str], set[str]]:
        """The instances whose heartbeat has stopped, and all that have one."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"service": app_name_of(self._database.client)}},
            {"$project": {"beats": 1, "silent": {"$subtract": ["$$NOW", "$beat_at"]}}},
        ]
        found = [each async for each in await self._database[PROCESSES].aggregate(pipeline)]
        before, self._beats = self._beats, {each["_id"]: each["beats"] for each in found}
        own = instance_of(self._database.client)
        took_writes = own not in self._beats or before.get(own) != self._beats[own]
        silent = {each["_id"] for each in found if each["silent"] * 1000 * _MICROSECOND >= _GONE}
        unchanged = {each for each in silent if before.get(each) == self._beats[each]}
        return (unchanged - {own} if took_writes else set()), set(self._beats)


async def _idle_transactions(client: Client) -> list[dict[str, Any]]:
    """The open transactions of all instances in which nothing is under way."""
    query = {
        "type": "idleSession",
        "appName": {"$regex": f"^{re.escape(full_name(app_name_of(client), ''))}"},
        "transaction": {"$exists": True},
    }
    pipeline: list[dict[str, Any]] = [{"$currentOp": {"allUsers": False, "idleSessions": True}}, {"$match": query}]
    return [each async for each in await client.admin.aggregate(pipeline)]

"""Ends the transactions that nobody will ever finish, which would keep others waiting for a minute.

The server does not notice that their client is gone: it keeps their locks for transactionLifetimeLimitSeconds, 60 by
default. How long nothing has happened in a transaction says nothing: its process may be busy, or stopped for a while.
"""

import re
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from bson.binary import Binary
from pymongo.errors import OperationFailure

from huiqun.store.connection import (
    Client,
    Database,
    Session,
    app_name_of,
    client_instance_of,
    full_app_name,
    parse_client_instance,
)
from huiqun.store.presence import PROCESSES

# Whose heart has not beaten while our own beat so often, once a second, is gone or stopped.
_GONE_BEATS: Final = 5
# A process writes its first heartbeat before it opens a transaction: one without any has been gone for long.
_OLD: Final = timedelta(seconds=10)
_NOT_ALLOWED: Final = frozenset({13, 8000})  # unauthorized, and how Atlas' small clusters say it
# So long ago must be its last operation before a process ends a transaction that it has given up.
_GIVEN_UP: Final = timedelta(seconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)

_log = structlog.get_logger(__name__)

# For each instance of this process: the sessions whose transaction it is in the middle of.
_open_here: dict[str, set[UUID]] = {}


def mark_transaction_open(session: Session) -> None:
    """Remember that this process is in a transaction of the session: nobody may end it meanwhile."""
    _open_here.setdefault(client_instance_of(session.client), set()).add(_id_of(session))


def mark_transaction_closed(session: Session) -> None:
    """Forget it: what the server still has open of it, because it could not be told, is abandoned."""
    _open_here.get(client_instance_of(session.client), set()).discard(_id_of(session))


def _id_of(session: Session) -> UUID:
    identity: UUID = session.session_id["id"].as_uuid()
    return identity


class _Seen(NamedTuple):
    """How often a process had beaten, and how often we had when that was first seen."""

    beats: int
    own: int


class AbandonedTransactions:
    """Finds and ends the transactions of a service that belong to processes which are gone, and those that this one
    has given up.

    A process is gone when its heartbeat has stopped while this one's own went on. No clock says so: after an outage of
    the store, in which nobody's was written, one process is heard of seconds before another.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, _Seen] = {}

    async def abort_abandoned(self) -> int:
        """End those that are abandoned now, log it, and return how many there were.

        Asking for and ending one's own sessions needs no privilege; where it is forbidden all the same, the server's
        minute has to pass.
        """
        client = self._database.client
        try:
            others, own = await self._abandoned(client)
            if sessions := [{"id": Binary.from_uuid(each)} for each in others + own]:
                await client.admin.command({"killSessions": sessions})
        except OperationFailure as error:
            if error.code not in _NOT_ALLOWED:
                raise
            return 0
        if others:
            _log.warning("abandoned_transactions_ended", transactions=len(others))
        elif own:
            _log.info("given_up_transactions_ended", transactions=len(own))
        return len(sessions)

    async def _abandoned(self, client: Client) -> tuple[list[UUID], list[UUID]]:
        """The sessions whose transaction nobody will finish: those of other processes, and our own."""
        gone, known = await self._gone()
        own = client_instance_of(client)
        at_work = frozenset(_open_here.get(own, ()))
        given_up: list[UUID] = []
        found: list[UUID] = []
        for each in await _idle_transactions(client):
            instance, session, transaction = (
                parse_client_instance(each["appName"]),
                each["lsid"]["id"],
                each["transaction"],
            )
            if instance == own:
                # However late the server heard of its last operation: a frozen one hears of all when it goes on.
                if session not in at_work and transaction["timeInactiveMicros"] * _MICROSECOND >= _GIVEN_UP:
                    given_up.append(session)
            elif instance in gone or (instance not in known and transaction["timeOpenMicros"] * _MICROSECOND >= _OLD):
                found.append(session)
        # A session of a pool may have been taken for new work while the server was asked.
        return found, [session for session in given_up if session not in _open_here.get(own, ())]

    async def _gone(self) -> tuple[set[str], set[str]]:
        """The instances whose heartbeat has stopped, and all that have one."""
        query = {"service": app_name_of(self._database.client)}
        found = {each["_id"]: each["beats"] async for each in self._database[PROCESSES].find(query, {"beats": 1})}
        own = found.get(client_instance_of(self._database.client), 0)
        before, self._seen = self._seen, {}
        for instance, beats in found.items():
            seen = before.get(instance, _Seen(beats, own))
            self._seen[instance] = seen if seen.beats == beats and seen.own <= own else _Seen(beats, own)
        return {instance for instance, seen in self._seen.items() if own - seen.own >= _GONE_BEATS}, set(found)


async def _idle_transactions(client: Client) -> list[dict[str, Any]]:
    """The open transactions of all instances in which nothing is under way."""
    query = {
        "type": "idleSession",
        "appName": {"$regex": f"^{re.escape(full_app_name(app_name_of(client), ''))}"},
        "transaction": {"$exists": True},
    }
    pipeline: list[dict[str, Any]] = [{"$currentOp": {"allUsers": False, "idleSessions": True}}, {"$match": query}]
    return [each async for each in await client.admin.aggregate(pipeline)]

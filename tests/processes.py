"""A service as a process of its own, to be stopped, killed and started again by a test."""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from local.ports import LOOPBACK, free_port
from local.process import ServerProcess
from local.stack import Stack


class ServiceProcess:
    """`python -m <service> --roles ...` with its output in a log; killed at the end of the context if it still runs."""

    def __init__(
        self, service: str, directory: Path, environment: Mapping[str, str], roles: str = "streams,tasks"
    ) -> None:
        command = [sys.executable, "-m", service, "--roles", roles]
        self._port, self.metrics_port = free_port(), free_port()
        self._log = directory / f"{service}-{self._port}.log"
        ports = {"HUIQUN_API_PORT": str(self._port), "HUIQUN_METRICS_PORT": str(self.metrics_port)}
        own = {**environment, **ports}
        self._process = ServerProcess(service, command, self._log, own)

    @property
    def running(self) -> bool:
        return self._process.running

    @property
    def exit_code(self) -> int | None:
        return self._process.exit_code

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """What all its lives have said so far."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def start(self) -> None:
        """Start it (again); it is up when it says so or has an effect."""
        self._process.spawn()

    async def get(self, path: str, key: str = "") -> httpx.Response | None:
        """What it answers to a request, with an API key; None while nobody listens."""
        headers = {"X-API-Key": key} if key else {}
        async with httpx.AsyncClient(timeout=10, headers=headers) as http:
            try:
                return await http.get(f"http://{LOOPBACK}:{self._port}{path}")
            except httpx.TransportError:
                return None

    async def why_not_ready(self) -> str:
        """What /readyz says where it does not say that all is well; empty otherwise, also while nobody listens."""
        answer = await self.get("/readyz")
        return answer.json().get("detail", "") if answer is not None else ""

    async def is_ready(self) -> bool:
        """What /readyz says; False also while nobody listens."""
        answer = await self.get("/readyz")
        return answer is not None and answer.status_code == httpx.codes.OK

    async def figures(self) -> str:
        """What its /metrics says."""
        async with httpx.AsyncClient(timeout=10) as http:
            return (await http.get(f"http://{LOOPBACK}:{self.metrics_port}/metrics")).raise_for_status().text

    async def stop(self, seconds: float = 10) -> int | None:
        """Send SIGTERM and return the exit code; -9 if it had to be killed after `seconds`."""
        await self._process.stop(seconds)
        return self.exit_code

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        await self._process.kill()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        if error is not None:
            error.add_note(f"{self._log}:\n{self.log[-3000:]}")


def environment_of(stack: Stack, topic_prefix: str, database_name: str) -> dict[str, str]:
    """What tells a service's process to use the servers, topics and database of a test."""
    return {
        **stack.environment,
        "HUIQUN_TOPIC_PREFIX": topic_prefix,
        "HUIQUN_DATABASE_PREFIX": f"{database_name}_",
    }

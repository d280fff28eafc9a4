"""`huiqun` as an operator calls it, in this process."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from typer.testing import CliRunner, Result

from huiqun.cli import app


@dataclass(frozen=True)
class Shell:
    """Calls commands in an environment."""

    environment: Mapping[str, str]

    async def run_command(self, *arguments: str) -> Result:
        """Run a command; it has a loop of its own, and so a thread."""
        runner = CliRunner(env={**self.environment, "COLUMNS": "200"})
        with _logging_kept():
            result = await asyncio.to_thread(runner.invoke, app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    async def run_successfully(self, *arguments: str) -> str:
        """What a command prints that succeeds."""
        result = await self.run_command(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout


@contextmanager
def _logging_kept() -> Iterator[None]:
    """A command silences the drivers for the rest of its process, which here goes on."""
    before, level = structlog.get_config(), logging.getLogger("aiokafka").level
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.getLogger("aiokafka").setLevel(level)

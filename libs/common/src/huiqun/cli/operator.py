"""Who works at the shell, as the audit log names them, and how what they do is committed."""

import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar

from huiqun.cli.terminal import load_settings, open_database
from huiqun.kafka import Publisher
from huiqun.runtime.clock import SystemClock
from huiqun.work import Transactor, Work

T = TypeVar("T")


def shell_actor() -> str:
    """The user's name; a container may run under a number that has none."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):
        return "shell:unknown"


async def run_in_transaction(service: str, use_case: Callable[[Work], Awaitable[T]]) -> T:
    """Run a use case that publishes nothing in one transaction on a service's database."""
    async with open_database(service) as database:
        transactor = Transactor(database.client, database, Publisher(load_settings().kafka), SystemClock())
        return await transactor.run(use_case)

"""What the commands share: settings, output, and errors that say what to do instead of a traceback."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, NoReturn, TypeVar

import structlog
import typer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from huiqun.contracts.topics import ServiceName
from huiqun.runtime.clock import SystemClock
from huiqun.runtime.settings import ConnectionSettings, wrong_settings
from huiqun.store import Database, StoreError, connect
from huiqun.stream import Publisher, Transactor, Work

NO = 1
NOT_ASKED = 2

T = TypeVar("T")
Service = Annotated[ServiceName, typer.Option("--service", "-s", help="The service it is about.")]

output = Console()
notes = Console(stderr=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; errors of servers and settings become one line and exit code 2."""
    # What the drivers log about servers that are away, we say ourselves.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        return asyncio.run(work)
    except StoreError as error:
        url = re.sub(r"//[^/@]*@", "//", settings().mongo_url)
        fail(f"MongoDB at {url}: {_brief(error)}\nSet HUIQUN_MONGO_URL if that is not the one you mean.")
    except UnknownTopicOrPartitionError:
        fail("The topics are not there yet: huiqun topics create")
    except (KafkaError, OSError) as error:  # TimeoutError is an OSError
        bootstrap = settings().kafka_bootstrap
        fail(f"Kafka at {bootstrap}: {_brief(error)}\nSet HUIQUN_KAFKA_BOOTSTRAP if that is not the one you mean.")


def _brief(error: Exception) -> str:
    """The first clause of what a driver says; the rest repeats its settings."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).partition(" (configured")[0] or type(error).__name__


def settings() -> ConnectionSettings:
    """The settings from the environment; exit code 2 where they are wrong."""
    try:
        return ConnectionSettings()
    except ValidationError as error:
        fail("\n".join(wrong_settings(ConnectionSettings, error)))


@asynccontextmanager
async def database_of(service: str) -> AsyncIterator[Database]:
    """The database of a service."""
    chosen = settings()
    client = connect(chosen.mongo_url, app_name="huiqun-cli")
    try:
        yield client[chosen.database_of(service)]
    finally:
        await client.close()


async def transact(service: str, use_case: Callable[[Work], Awaitable[T]]) -> T:
    """Run a use case in one transaction on the database of a service."""
    async with database_of(service) as database:
        # Never started: nothing is published.
        transactor = Transactor(database.client, database, Publisher(settings().kafka), SystemClock())
        return await transactor.run(use_case)


def fail(message: str, code: int = NOT_ASKED) -> NoReturn:
    """Say why it did not work, and end."""
    notes.print(printable(message), style="red")
    raise typer.Exit(code)


def printable(text: str) -> Text:
    """Text from a record or a server: no markup, and nothing in it that steers the terminal."""
    return Text("".join(each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text))

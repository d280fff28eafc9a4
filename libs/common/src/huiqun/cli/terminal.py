"""What the commands share: settings, output, and errors that say what to do instead of a traceback."""

import asyncio
import json
import logging
import unicodedata
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, NoReturn, TypeVar

import structlog
import typer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from huiqun.contracts.topics import ServiceName
from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.service.settings import ConnectionSettings, describe_settings_errors
from huiqun.store import Database, StoreError, connect, explain_store_error, parse_mongo_url

EXIT_FAILED = 1
EXIT_UNUSABLE = 2

T = TypeVar("T")
Service = Annotated[ServiceName, typer.Option("--service", "-s", help="The service it is about.")]

output = Console()
notes = Console(stderr=True)


def run_command(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; errors of servers and settings become one line and exit code 2."""
    # What the drivers log about servers that are away, we say ourselves.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False
    )
    try:
        return asyncio.run(work)
    except StoreError as error:
        where = f"mongodb://{','.join(parse_mongo_url(load_settings().mongo_url).hosts)}"
        said = explain_store_error(error) or f"MongoDB at {where}: {_brief(error)}"
        exit_with_error(f"{said}\nSet HUIQUN_MONGO_URL if {where} is not the one you mean.")
    except MisconfigurationError as error:
        exit_with_error(str(error))
    except UnknownTopicOrPartitionError:
        exit_with_error("The topics are not there yet: huiqun topics create")
    except (KafkaError, OSError) as error:  # TimeoutError is an OSError
        bootstrap = load_settings().kafka_bootstrap
        exit_with_error(
            f"Kafka at {bootstrap}: {_brief(error)}\nSet HUIQUN_KAFKA_BOOTSTRAP if that is not the one you mean."
        )


def _brief(error: Exception) -> str:
    """The first clause of what a driver says; the rest repeats its settings."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).partition(" (configured")[0] or type(error).__name__


def load_settings() -> ConnectionSettings:
    """The settings from the environment; exit code 2 where they are wrong."""
    try:
        return ConnectionSettings()
    except ValidationError as error:
        exit_with_error("\n".join(describe_settings_errors(ConnectionSettings, error)))


@asynccontextmanager
async def open_database(service: str) -> AsyncIterator[Database]:
    """The database of a service."""
    chosen = load_settings()
    client = connect(chosen.mongo, app_name="huiqun-cli")
    try:
        yield client[chosen.database_of(service)]
    finally:
        await client.close()


def exit_with_error(message: str, code: int = EXIT_UNUSABLE) -> NoReturn:
    """Say why it did not work, and end."""
    notes.print(printable_text(message), style="red")
    raise typer.Exit(code)


def printable_text(text: str, style: str = "") -> Text:
    """Text from a record or a server: no markup, and what would steer the terminal or hide in it is escaped."""
    return Text("".join(each if each in "\n\t" else _escaped(each) for each in text), style)


def printable_line(text: str) -> Text:
    """The same for what is one line by nature: a line break in it would pass as the next line of ours."""
    return Text("".join(map(_escaped, text)))


def printable_json(value: object) -> str:
    """A value as one line of JSON in which nothing steers the terminal; reading it gives the value back."""
    return "".join(
        each if _is_harmless(each) else json.dumps(each)[1:-1] for each in json.dumps(value, ensure_ascii=False)
    )


def is_safe_for_terminal(value: bytes) -> bool:
    """Whether bytes can be written to a terminal as they are."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    return all(each in "\n\t" or _is_harmless(each) for each in text)


def _escaped(character: str) -> str:
    return character if _is_harmless(character) else character.encode("unicode-escape").decode("ascii")


def _is_harmless(character: str) -> bool:
    """No control of C0 or C1, no change of direction, nothing invisible; the wide space of Chinese texts is one."""
    return character.isprintable() or unicodedata.category(character) == "Zs"

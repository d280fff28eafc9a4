"""`python -m local up` runs the embedded stack until Ctrl-C; `python -m local fetch` brings Apache Kafka's jars."""

import argparse
import asyncio
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from rich.console import Console

from local.apache_kafka import fetch
from local.console import run_to_the_end
from local.errors import ServerUnavailableError
from local.stack import Stack


async def up(directory: Path | None, console: Console) -> int:
    """Start the stack, say where it is, and stop it on Ctrl-C or SIGTERM."""
    async with Stack(directory) as stack:
        for name, value in stack.environment.items():
            console.print(f"{name}={value}", soft_wrap=True, markup=False)
        console.print(f"Data and logs are in {stack.directory}. Ctrl-C stops both servers.", soft_wrap=True)
        with suppress(asyncio.CancelledError):  # that is how it is meant to end
            await asyncio.Event().wait()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("up", help="run MongoDB and the broker (BROKER=tansu or kafka) until Ctrl-C")
    run.add_argument("--directory", type=Path, help="where to keep data and logs (default: a temporary directory)")
    commands.add_parser("fetch", help="fetch Apache Kafka with Maven")
    options = parser.parse_args()
    if options.command == "up":
        return run_to_the_end(partial(up, options.directory))
    try:
        fetch()
    except ServerUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m local up` runs the embedded stack until Ctrl-C; `python -m local fetch` brings Apache Kafka's jars."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from local.apache_kafka import fetch
from local.errors import ServerUnavailableError
from local.stack import Stack


async def up(directory: Path | None) -> None:
    """Start the stack, say where it is, and stop it on Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Stack(directory) as stack:
        for name, value in stack.environment.items():
            print(f"{name}={value}")
        print(f"Data and logs are in {stack.directory}. Ctrl-C stops both servers.", flush=True)
        await stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("up", help="run MongoDB and the broker (BROKER=tansu or kafka) until Ctrl-C")
    run.add_argument("--directory", type=Path, help="where to keep data and logs (default: a temporary directory)")
    commands.add_parser("fetch", help="fetch Apache Kafka with Maven")
    options = parser.parse_args()
    try:
        if options.command == "fetch":
            fetch()
        else:
            asyncio.run(up(options.directory))
    except ServerUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

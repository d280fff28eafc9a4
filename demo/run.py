"""`python -m demo.run`: start everything, play the bundled day, show what came of it, and stay up until Ctrl-C."""

import asyncio
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from demo import tables
from demo.day import play_day
from demo.operator import create_admin_key, write_policies
from local.console import run_to_the_end
from local.directories import run_directory
from local.system import System, running_system

ENVIRONMENT: Final = "environment"


async def run(console: Console) -> int:
    """Run the day, then wait: it ends when it is interrupted, or when a service does."""
    with run_directory("run") as logs:
        async with running_system(logs, console.print, partial(write_policies, console.print)) as system:
            day = await play_day(system, console)
            tables.print_day(console, day, system.channel.transcript)
            key = await create_admin_key([system.database(service.name) for service in system.services])
            explain(system, key, logs, console)
            with suppress(asyncio.CancelledError):  # Ctrl-C is how it is meant to end
                await asyncio.Event().wait()
    return 0


def explain(system: System, key: str, logs: Path, console: Console) -> None:
    """Say where everything is, and write what other programs need to reach it into a file that a shell can read."""
    variables = {**system.environment, "HUIQUN_API_KEY": key}
    lines = "".join(f"export {name}='{value}'\n" for name, value in variables.items())
    environment = logs / ENVIRONMENT
    environment.touch(mode=0o600)
    environment.write_text(lines, encoding="utf-8")
    urls = {service.name: service.url for service in system.services}
    commands = (
        f". {environment}",
        f'curl -s -H "X-Api-Key: $HUIQUN_API_KEY" "{urls["moderation"]}/api/v1/messages?group_id=licai&verdict=block"',
        f'curl -s -H "X-Api-Key: $HUIQUN_API_KEY" {urls["engagement"]}/api/v1/groups/licai/activity/tang',
        f"{_beside_python('huiqun')} dead-letters list --service moderation",
    )
    console.print()
    console.print(tables.addresses_table(system.services))
    console.print("\n[bold]Look around[/] from another terminal:")
    for command in commands:
        console.print(f"  {command}", soft_wrap=True)
    console.print(f"\nLogs are in {logs}. It all stays up until Ctrl-C.")


def _beside_python(command: str) -> str:
    path = Path(sys.executable).parent / command
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(run_to_the_end(run))

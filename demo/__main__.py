"""`python -m demo`: play the bundled day and check what came of it; exits 0 or 1."""

import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from demo import tables
from demo.capability_evidence import find_capability_evidence
from demo.checks import check_claims, check_stopped
from demo.day import play_day
from demo.evidence import DayEvidence
from demo.operator import write_policies
from local.console import run_to_the_end
from local.directories import run_directory
from local.system import running_system


async def demo(console: Console) -> int:
    """Run the day and check it; the exit code."""
    with run_directory("demo") as logs:
        return await _play_and_check(logs, console)


async def _play_and_check(logs: Path, console: Console) -> int:
    async with running_system(logs, console.print, partial(write_policies, console.print)) as system:
        day = await play_day(system, console)
        transcript = system.channel.transcript
        tables.print_day(console, day, transcript)
    evidence = DayEvidence(day.steps, day.seen, transcript, day.morning, [service.log for service in system.services])
    came_out = [*check_claims(evidence), check_stopped(system.services)]
    found = find_capability_evidence(day, came_out)
    tables.print_tables(
        console, tables.checks_table("Does it agree with the story?", came_out), tables.capabilities_table(found)
    )
    held = all(check.holds for check in (*(scene.check for scene in day.scenes), *came_out))
    good = held and all(seen and all(each.holds for each in seen) for seen in found.values())
    console.print()
    console.print("All as it should be." if good else f"Not as it should be; the logs are in {logs}.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(run_to_the_end(demo))

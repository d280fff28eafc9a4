"""`python -m tests.soak [NAME...] [--duration SECONDS]`: what shows only after minutes; exits 0 or 1."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from huiqun.cli.terminal import printable_text
from local.console import run_to_the_end
from tests.soak.endurance import ENDURANCE
from tests.soak.model import Scenario, Soak
from tests.soak.outages import OUTAGES

SCENARIOS: Sequence[Scenario] = (*OUTAGES, *ENDURANCE)


async def soak(chosen: Sequence[Scenario], seconds: float | None, console: Console) -> int:
    """Run the scenarios one after the other; 1 if one of them did not hold."""
    outcomes = [await _holds(scenario, seconds or scenario.seconds, console) for scenario in chosen]
    console.print(f"{sum(outcomes)} of {len(outcomes)} held.")
    return 0 if all(outcomes) else 1


async def _holds(scenario: Scenario, seconds: float, console: Console) -> bool:
    console.print(f"{scenario.name}: {scenario.claim} ({seconds:g} s)")
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    started = time.monotonic()

    def report(line: str) -> None:
        console.print(printable_text(f"  {time.monotonic() - started:6.0f} s  {line}", "dim"))

    try:
        await scenario.run(Soak(seconds, directory, report))
    except AssertionError as error:
        console.print(printable_text(f"✗ {scenario.name}: {error}\nThe logs are in {directory}.", "red"))
        return False
    console.print(f"✓ {scenario.name}, after {time.monotonic() - started:.0f} s")
    await asyncio.to_thread(shutil.rmtree, directory)
    return True


def main() -> int:
    """Parse the command line and run what it asks for."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    shown = "\n".join(f"  {each.name:8} {each.seconds:5g} s  {each.claim}" for each in SCENARIOS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description=__doc__,
        epilog=f"scenarios:\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these scenarios")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="of each, instead of its own")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    if options.duration is not None and options.duration <= 0:
        parser.error("--duration is a positive number of seconds")
    chosen = [known[name] for name in options.names] or SCENARIOS
    return run_to_the_end(partial(soak, chosen, options.duration))


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks [--quick] [--only NAME] [--profile]`: measure, print a table, write benchmarks/results/."""

import argparse
import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from rich.console import Console

from benchmarks import (
    backtest,
    classifier,
    contention,
    evasion,
    institution,
    journey,
    latency,
    lexicon,
    machine,
    memory,
    screening,
    stages,
    tasks,
)
from benchmarks.cold import COLD
from benchmarks.figures import Result, print_figures, write_results
from local.errors import ServerUnavailableError
from local.stack import Stack

ReportProgress = Callable[[str], None]
Measurement = Callable[[ReportProgress], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    messages: int
    repeats: int
    disguised: int
    contest: journey.Contest
    latency_seconds: float
    archived: int
    memory_messages: int
    memory_step: int
    patrols: int


FULL = Scale(60_000, 5, 20, journey.Contest(60_000, 1_500, 3), 20, 50_000, 150_000, 25_000, 140_000)
QUICK = Scale(20_000, 3, 4, journey.Contest(10_000, 300, 1), 5, 10_000, 30_000, 5_000, 10_000)
# More than any run needs, so that one that hangs ends with a message instead of never.
_LONGEST_SECONDS = 25 * 60


def on_servers(scale: Scale, stack: Stack) -> Mapping[str, Measurement]:
    """What is measured on the servers, by name."""
    return {
        "lexicon": lambda say: lexicon.measure(stack, scale.repeats, say),
        "path": lambda say: journey.measure(stack, scale.contest, say),
        "backtest": lambda say: backtest.measure(stack, scale.archived, say),
        "latency": lambda say: latency.measure(stack, scale.latency_seconds, say),
        "contention": lambda say: contention.measure(stack, scale.latency_seconds, say),
        "memory": lambda say: memory.measure(stack, scale.memory_messages, scale.memory_step, say),
        "institution": lambda say: institution.measure(
            stack, scale.contest, (scale.latency_seconds, scale.memory_messages, scale.memory_step), say
        ),
        "tasks": lambda say: tasks.measure(stack, scale.patrols, say),
        "profile": lambda say: stages.measure(stack, scale.contest.backlog, say),
    }


@dataclass(slots=True)
class BenchmarkRun:
    """Measures one thing after the other, says how it gets on, and goes on where one of them breaks."""

    console: Console
    cold: Path = COLD
    results: list[Result] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    async def take(self, names: Sequence[str], scale: Scale) -> None:
        """Measure what is named; first what needs no servers, before there are any that could disturb it."""
        alone = self._without_servers(scale)
        for name, measurement in alone.items():
            if name in names:
                await self._take(name, measurement)
        if set(names) - set(alone):
            async with Stack() as stack:
                for name, measurement in on_servers(scale, stack).items():
                    if name in names:
                        await self._take(name, measurement)

    def _without_servers(self, scale: Scale) -> Mapping[str, Measurement]:
        count, repeats = scale.messages, scale.repeats
        return {
            "screening": lambda _: asyncio.to_thread(screening.measure, count, repeats),
            "classifier": lambda say: asyncio.to_thread(classifier.measure, count, repeats, self.cold, say),
            "evasion": lambda say: asyncio.to_thread(evasion.measure, scale.disguised, self.cold, say),
        }

    async def _take(self, name: str, measurement: Measurement) -> None:
        started = time.monotonic()

        def say(text: str) -> None:
            self.console.print(f"[dim]{name} {time.monotonic() - started:5.1f} s[/dim]  {text}", highlight=False)

        say("begins")
        try:
            self.results.append(await measurement(say))
        except Exception:  # noqa: BLE001 - the others are still worth measuring; the exit status tells
            traceback.print_exc()
            self.broken.append(name)
        say("broke" if name in self.broken else "done")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ["screening", "classifier", "evasion", "lexicon", "path", "backtest", "latency", "contention", "memory"]
    names += ["institution", "tasks"]
    parser.add_argument("--quick", action="store_true", help="fewer messages, one round: a look, not a result")
    parser.add_argument("--only", choices=names, help="measure this only")
    parser.add_argument("--profile", action="store_true", help="also tell where a batch spends its time")
    parser.add_argument("--cold", type=Path, default=COLD, help="where COLD's files are, for classifier and evasion")
    options = parser.parse_args()
    chosen = [options.only] if options.only else names
    # Its warnings are of topics that are being created or deleted; what matters ends a measurement with an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    described = machine.describe_machine()
    started = time.monotonic()
    run = BenchmarkRun(Console(), options.cold)
    taking = run.take(chosen + ["profile"] * options.profile, QUICK if options.quick else FULL)
    try:
        uvloop.run(asyncio.wait_for(taking, _LONGEST_SECONDS))
    except (ServerUnavailableError, TimeoutError) as error:
        print(error if str(error) else f"not done within {_LONGEST_SECONDS} s", file=sys.stderr)
        return 1
    print_figures(run.console, run.results)
    how = {"quick": options.quick, "seconds": round(time.monotonic() - started), "broken": run.broken}
    run.console.print(f"Written to {write_results(run.results, described, how)}", soft_wrap=True)
    return 1 if run.broken else 0


if __name__ == "__main__":
    sys.exit(main())

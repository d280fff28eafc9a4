"""The bundled day and the morning after, played on a running system until everything is through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from local.observed import Observed, observe
from local.people.morning import Morning
from local.people.scene import Played
from local.people.work import work
from local.player import play
from local.settling import lags, until_through
from local.story.script import TIMEZONE, Step, compose, last_full_day
from local.system import System

_THROUGH_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Day:
    """What was played and what was seen afterwards."""

    steps: Sequence[Step]
    seen: Observed
    morning: Morning
    scenes: Sequence[Played]


async def play_day(system: System, console: Console) -> Day:
    """Play the day, wait until all of it is through, and look; raises NotThroughError."""
    steps = compose(last_full_day(datetime.now(UTC)))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[clock]}"))
    with Progress(*columns, console=console) as progress:
        playing = progress.add_task("A day in three groups", total=len(steps), clock="00:00")

        def advance(step: Step) -> None:
            progress.update(playing, advance=1, clock=step.at.astimezone(TIMEZONE).strftime("%H:%M"))

        await play(steps, system.channel, advance)
    console.print("Waiting until everything is through")
    async with lags(system.kafka, [service.name for service in system.services]) as reading:
        await until_through(reading, system.database("moderation"), _THROUGH_SECONDS)
        console.print("The morning after: three people look after the groups, over HTTP")
        morning, scenes = await work(system)
        await until_through(reading, system.database("moderation"), _THROUGH_SECONDS)
    return Day([*steps, *morning.steps], await observe(system), morning, scenes)

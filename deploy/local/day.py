"""The bundled day and the morning after, played on a running system until everything is through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from local.check import Check
from local.observed import Observed, observe
from local.people.morning import Morning, Stretch
from local.people.scene import Played
from local.people.work import work
from local.player import play
from local.settling import NotThroughError, lags, until_through
from local.story.script import TIMEZONE, Step, compose, last_full_day
from local.system import System

_THROUGH_SECONDS: Final = 60.0
# Moderation is started again then, between messages of members whose quota is nearly used up.
RESTART: Final = time(15, 42, 30)


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
    async with lags(system.kafka, [service.name for service in system.services]) as reading:

        async def through() -> None:
            await until_through(reading, system.database("moderation"), _THROUGH_SECONDS)

        await _play_all(steps, system, console, through)
        console.print("Waiting until everything is through")
        await through()
        console.print("The morning after: four people look after the groups, over HTTP")
        morning, scenes = await work(system, Stretch(steps[0].at, steps[-1].at + timedelta(minutes=1)))
        left: list[str] = []
        try:
            await through()
        except NotThroughError as error:
            left.append(str(error))
    scenes.append(Played(Check("in the end, nothing is left to be done", left), ()))
    return Day([*steps, *morning.steps], await observe(system), morning, scenes)


async def _play_all(
    steps: Sequence[Step], system: System, console: Console, through: Callable[[], Awaitable[None]]
) -> None:
    """Play the steps, and start moderation again in the middle of them.

    Groups and messages are on two topics, so nobody writes before it is known who is in which group.
    """
    opening = [step for step in steps if step.entry is None]
    restart: asyncio.Task[None] | None = None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[clock]}"))
    with Progress(*columns, console=console) as progress:
        playing = progress.add_task("A day in three groups", total=len(steps), clock="00:00")

        def advance(step: Step) -> None:
            nonlocal restart
            clock = step.at.astimezone(TIMEZONE)
            progress.update(playing, advance=1, clock=f"{clock:%H:%M}")
            if restart is None and clock.time() >= RESTART:
                restart = asyncio.create_task(system.service("moderation").restart())

        await play(opening, system.channel, advance)
        await through()
        await play(steps[len(opening) :], system.channel, advance)
        if restart is not None:
            progress.update(playing, clock="moderation is starting again")
            await restart

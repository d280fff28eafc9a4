"""The bundled day and the morning after, played on a running system until everything is through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from demo.check import CheckResult
from demo.observed import ObservedRun, observe_run
from demo.people.morning import Morning, TimeSpan
from demo.people.scene import PlayedScene
from demo.people.work import play_scenes
from demo.player import play_steps
from demo.story.script import DayStep, compose_day
from local.days import TIMEZONE, last_full_day
from local.settling import NotSettledError, open_lags, wait_until_settled
from local.system import System

_THROUGH_SECONDS: Final = 60.0
# Moderation is started again then, between messages of members whose quota is nearly used up.
RESTART: Final = time(15, 42, 30)


@dataclass(frozen=True, slots=True)
class PlayedDay:
    """What was played and what was seen afterwards."""

    steps: Sequence[DayStep]
    seen: ObservedRun
    morning: Morning
    scenes: Sequence[PlayedScene]


async def play_day(system: System, console: Console) -> PlayedDay:
    """Play the day, wait until all of it is through, and look; raises NotSettledError."""
    steps = compose_day(last_full_day(datetime.now(UTC)))
    async with open_lags(system.kafka, [service.name for service in system.services]) as reading:

        async def through() -> None:
            await wait_until_settled(reading, system.database("moderation"), _THROUGH_SECONDS)

        await _play_all(steps, system, console, through)
        console.print("Waiting until everything is through")
        await through()
        console.print("The morning after: four people look after the groups, over HTTP")
        morning, scenes = await play_scenes(system, TimeSpan(steps[0].at, steps[-1].at + timedelta(minutes=1)))
        left: list[str] = []
        try:
            await through()
        except NotSettledError as error:
            left.append(str(error))
    scenes.append(PlayedScene(CheckResult("in the end, nothing is left to be done", left), ()))
    return PlayedDay([*steps, *morning.steps], await observe_run(system), morning, scenes)


async def _play_all(
    steps: Sequence[DayStep], system: System, console: Console, through: Callable[[], Awaitable[None]]
) -> None:
    """Play the steps, and start moderation again in the middle of them.

    Groups and messages are on two topics, so nobody writes before it is known who is in which group.
    """
    opening = [step for step in steps if step.entry is None]
    restart: asyncio.Task[None] | None = None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[clock]}"))
    with Progress(*columns, console=console) as progress:
        playing = progress.add_task("A day in three groups", total=len(steps), clock="00:00")

        def advance(step: DayStep) -> None:
            nonlocal restart
            clock = step.at.astimezone(TIMEZONE)
            progress.update(playing, advance=1, clock=f"{clock:%H:%M}")
            if restart is None and clock.time() >= RESTART:
                restart = asyncio.create_task(system.service("moderation").restart())

        await play_steps(opening, system.channel, advance)
        await through()
        await play_steps(steps[len(opening) :], system.channel, advance)
        if restart is not None:
            progress.update(playing, clock="moderation is starting again")
            await restart

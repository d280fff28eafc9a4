"""What a scenario is, and what it is given."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOOKS_A_REPORT: Final = 10


@dataclass(frozen=True, slots=True)
class Soak:
    """How long a scenario lasts, where its logs go, and who hears how it is getting on."""

    seconds: float
    directory: Path
    report: Callable[[str], None]

    async def watch(self, what: str, look: Callable[[], Awaitable[str]]) -> None:
        """Look once a second for as long as the scenario lasts; a look raises AssertionError where something is wrong.

        What it returns is reported ten times in all.
        """
        self.report(what)
        started = time.monotonic()
        reported = 0
        while (passed := time.monotonic() - started) < self.seconds:
            seen = await look()
            if passed >= reported * self.seconds / _LOOKS_A_REPORT:
                reported += 1
                self.report(seen)
            await asyncio.sleep(min(1.0, self.seconds / _LOOKS_A_REPORT))


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that has to hold for minutes, and for how many seconds that is looked at."""

    name: str
    claim: str
    seconds: float
    run: Callable[[Soak], Awaitable[None]]

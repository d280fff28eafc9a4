"""What a moderation process holds in memory as messages pass, and whether it keeps growing."""

from collections.abc import Callable, Sequence
from typing import Any

import psutil

from benchmarks.figures import Figure, Result, at_most
from benchmarks.ground import MODERATION, ground
from benchmarks.messages import messages, records
from local.stack import Stack

MEASUREMENT = "Memory"
METHOD = (
    "resident memory of one moderation process, with the lexicon it comes with, looked at after every {step:,} of "
    "{total:,} messages. Growth is counted over the last half of them: caches have filled by then."
)
# A process that leaks a hundred bytes a message would grow by twice this in 50,000 messages.
_TOLERANCE_MIB = 2.5
_SECONDS = 120.0


async def measure(stack: Stack, total: int, step: int, say: Callable[[str], None]) -> Result:
    """Send `total` messages, `step` at a time, and look at the process in between."""
    sent = records(messages(total))
    samples: list[tuple[int, float]] = []
    async with ground(stack) as laid, laid.child("huiqun", MODERATION) as child:
        process = psutil.Process(child.pid)
        for start in range(0, total, step):
            await laid.fill(sent[start : start + step])
            await laid.until_acknowledged("huiqun.moderation", start + step, _SECONDS)
            samples.append((start + step, round(process.memory_info().rss / 2**20, 1)))
            say(f"{samples[-1][1]} MiB after {start + step:,} messages")
    return _result(samples, total, step)


def _result(samples: Sequence[tuple[int, float]], total: int, step: int) -> Result:
    held = dict(samples)
    marks = [count for count, _ in samples]
    half, most = marks[len(marks) // 2 - 1], marks[-1]
    figures = [
        Figure(f"resident after {mark:,} messages", held[mark], "MiB", at_most(200) if mark >= half else None)
        for mark in marks
        if mark in (step, half, most)
    ]
    grown = held[most] - held[half]
    figures.append(Figure(f"growth from {half:,} to {most:,}", grown, "MiB", at_most(_TOLERANCE_MIB)))
    details: dict[str, Any] = {"samples": [{"messages": count, "mib": mib} for count, mib in samples]}
    return Result(MEASUREMENT, figures, METHOD.format(step=step, total=total), details)

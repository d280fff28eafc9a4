"""What a moderation process holds in memory as messages pass, and whether it keeps growing."""

from collections.abc import Callable, Sequence
from typing import Any

import psutil

from benchmarks.figures import Figure, Result, at_most
from benchmarks.messages import messages, records
from benchmarks.workspace import MODERATION, open_workspace
from local.stack import Stack

MEASUREMENT = "Memory"
METHOD = (
    "resident memory of one moderation process, with the lexicon it comes with, looked at after every {step:,} of "
    "{total:,} messages; what counts is the last third, when caches have filled."
)
# A leak of fifty bytes a message, over 50,000 of them.
_GROWTH_MIB = 2.5
_SECONDS = 120.0


async def measure(stack: Stack, total: int, step: int, say: Callable[[str], None]) -> Result:
    """Send `total` messages, `step` at a time; a third is a number of steps."""
    return _result(await samples(stack, (total, step), say), total, step)


async def samples(
    stack: Stack, sending: tuple[int, int], say: Callable[[str], None], *, large: bool = False
) -> list[tuple[int, float]]:
    """Send so many messages, so many at a time, and look at the process in between: messages, and MiB after them."""
    total, step = sending
    sent = records(messages(total))
    seen: list[tuple[int, float]] = []
    async with open_workspace(stack, large=large) as laid, laid.running_child("huiqun", MODERATION) as child:
        process = psutil.Process(child.pid)
        for start in range(0, total, step):
            await laid.publish_records(sent[start : start + step])
            await laid.wait_until_acknowledged("huiqun.moderation", start + step, _SECONDS)
            seen.append((start + step, round(process.memory_info().rss / 2**20, 1)))
            say(f"{seen[-1][1]} MiB after {start + step:,} messages")
    return seen


def _result(seen: Sequence[tuple[int, float]], total: int, step: int) -> Result:
    held = dict(seen)
    first, second, last = total // 3, total * 2 // 3, total
    figures = [
        Figure(f"resident after {first:,} messages", held[first], "MiB"),
        Figure(f"resident after {second:,} messages", held[second], "MiB", at_most(200)),
        Figure(f"resident after {last:,} messages", held[last], "MiB", at_most(200)),
        Figure(f"growth from {first:,} to {second:,}", round(held[second] - held[first], 1), "MiB"),
        Figure(f"growth from {second:,} to {last:,}", round(held[last] - held[second], 1), "MiB", at_most(_GROWTH_MIB)),
    ]
    details: dict[str, Any] = {"samples": [{"messages": count, "mib": mib} for count, mib in seen]}
    return Result(MEASUREMENT, figures, METHOD.format(step=step, total=total), details)

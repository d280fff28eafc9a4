"""The whole path, latency and memory where an institution is as large as they get: words, groups and policies."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import journey, latency, memory
from benchmarks.figures import Figure, Result, at_least, at_most
from benchmarks.journey import HUIQUN, Contest
from benchmarks.messages import messages, records
from benchmarks.rulebooks import GROUPS, POLICIES, WORDS
from local.stack import Stack

MEASUREMENT = "A large institution"
METHOD = (
    "the measurements of the whole path, of latency and of memory again, by processes that know {words:,} words with "
    "all streams on, {groups:,} groups and {policies} policies that differ; median of {rounds} rounds."
)


async def measure(stack: Stack, contest: Contest, scale: tuple[float, int, int], say: Callable[[str], None]) -> Result:
    """Take the three; `scale` is the seconds of latency, the messages that memory is looked at over, and the step."""
    seconds, total, step = scale
    sent = records(messages(contest.backlog))
    runs: list[dict[str, Any]] = []
    for number in range(contest.rounds):
        runs.append(await journey.run(stack, HUIQUN, sent, large=True))
        say(f"round {number + 1} of {contest.rounds}: {runs[-1]['rate']:,} messages/s")
    taken = await latency.times(stack, seconds, say, latency.Load(large=True))
    samples = await memory.samples(stack, (total, step), say, large=True)
    method = METHOD.format(words=WORDS, groups=GROUPS, policies=POLICIES, rounds=contest.rounds)
    return Result(MEASUREMENT, _figures(runs, taken, samples), method, {"runs": runs, "memory": samples})


def _figures(
    runs: Sequence[dict[str, Any]], taken: Sequence[float], samples: Sequence[tuple[int, float]]
) -> list[Figure]:
    cuts = statistics.quantiles((each * 1000 for each in taken), n=100)
    return [
        Figure("huiqun, one process", statistics.median(run["rate"] for run in runs), "messages/s", at_least(8_000)),
        Figure("produce to action, p50", cuts[49], "ms", at_most(15)),
        Figure("produce to action, p99", cuts[98], "ms", at_most(60)),
        Figure(f"resident after {samples[-1][0]:,} messages", samples[-1][1], "MiB", at_most(250)),
    ]

"""The whole path, beside a handler that goes message by message and a loop that does hardly anything, in turns."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.contenders import bare_loop, one_by_one
from benchmarks.figures import BenchmarkError, Figure, Result, at_least
from benchmarks.messages import messages, records
from benchmarks.workspace import MODERATION, PARTITIONS, AcknowledgedSample, BenchmarkWorkspace, open_workspace
from huiqun.contracts.topics import MODERATION_DECISIONS
from huiqun.kafka.publisher import Record
from local.stack import Stack

MEASUREMENT = "The whole path"
METHOD = (
    "one process each, taking turns over {rounds} rounds against the same broker and database; a backlog of "
    "{backlog:,} messages of {size} bytes on {partitions} partitions ({slow_backlog:,} for the one that goes message "
    "by message), its first tenth left out; rates from the offsets acknowledged, medians of the rounds; ratios are "
    "taken within a round. Afterwards every message is counted in the database and on the topic."
)
_SECONDS = 120.0
_WARM_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Contest:
    """How much is to be done: `slow_backlog` is for the contender that goes message by message."""

    backlog: int
    slow_backlog: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Contender:
    """A process that consumes the backlog: what to run, and its consumer group."""

    name: str
    module: tuple[str, ...]
    group: str


HUIQUN = Contender("huiqun", MODERATION, "huiqun.moderation")
ONE_BY_ONE = Contender("faststream", ("benchmarks.contenders.one_by_one",), one_by_one.NAME)
BARE = Contender("bare loop", ("benchmarks.contenders.bare_loop",), bare_loop.NAME)
CONTENDERS = (HUIQUN, ONE_BY_ONE, BARE)


async def measure(stack: Stack, contest: Contest, say: Callable[[str], None]) -> Result:
    """Let the contenders take turns."""
    sent = records(messages(contest.backlog))
    taken: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in CONTENDERS}
    for number in range(contest.rounds):
        for contender in CONTENDERS:
            count = contest.slow_backlog if contender is ONE_BY_ONE else contest.backlog
            found = await run(stack, contender, sent[:count])
            taken[contender.name].append(found)
            say(f"round {number + 1} of {contest.rounds}: {contender.name} {found['rate']:,} messages/s")
    rates = {name: [each["rate"] for each in runs] for name, runs in taken.items()}
    over_one_by_one = _ratios(rates[HUIQUN.name], rates[ONE_BY_ONE.name])
    of_bare = _ratios(rates[HUIQUN.name], rates[BARE.name])
    figures = [
        Figure("huiqun, one process", statistics.median(rates[HUIQUN.name]), "messages/s", at_least(8_000)),
        Figure("FastStream, message by message", statistics.median(rates[ONE_BY_ONE.name]), "messages/s"),
        Figure("bare loop", statistics.median(rates[BARE.name]), "messages/s"),
        Figure("huiqun over FastStream", statistics.median(over_one_by_one), "times", at_least(10)),
        Figure("huiqun of the bare loop", statistics.median(of_bare) * 100, "%", at_least(35)),
        Figure("processor time of huiqun for a message", statistics.median(_microseconds(taken)), "µs"),
        Figure("cores that other programs took meanwhile", statistics.median(_others(taken)), ""),
    ]
    size = round(statistics.mean(len(record.value or b"") for record in sent))
    method = METHOD.format(size=size, partitions=PARTITIONS, **asdict(contest))
    details = {"runs": taken, "times_faststream": over_one_by_one, "share_of_bare_loop": of_bare}
    return Result(MEASUREMENT, figures, method, details)


async def run(stack: Stack, contender: Contender, sent: Sequence[Record], *, large: bool = False) -> dict[str, Any]:
    """Let one contender work through the backlog on ground of its own, that of a `large` institution if asked to."""
    async with open_workspace(stack, large=large) as laid:
        await laid.publish_records(sent)
        async with laid.running_child(contender.name, contender.module):
            moments = await laid.wait_until_acknowledged(contender.group, len(sent), _SECONDS)
        await _check(laid, contender, len(sent))
    return _summary(moments, len(sent))


async def _check(laid: BenchmarkWorkspace, contender: Contender, count: int) -> None:
    """Every message has its document and its record, or the rate is worth nothing."""
    kept = await laid.database["messages"].count_documents({})
    told = await laid.count_records(MODERATION_DECISIONS, count)
    if kept != count or told < count:
        raise BenchmarkError(f"{contender.name}: of {count} messages {kept} are kept and {told} published")


def _summary(moments: Sequence[AcknowledgedSample], count: int) -> dict[str, Any]:
    warm = next(moment for moment in moments if moment.count >= count * _WARM_SHARE)
    last = moments[-1]
    seconds, handled = last.at - warm.at, last.count - warm.count
    used = {name: last.processor[name] - before for name, before in warm.processor.items()}
    return {
        "rate": round(handled / seconds),
        "messages": handled,
        "seconds": round(seconds, 2),
        "cores_used": {name: round(spent / seconds, 2) for name, spent in used.items()},
        "processor_us_per_message": {name: round(spent / handled * 1e6, 1) for name, spent in used.items()},
    }


def _microseconds(taken: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[float]:
    return [each["processor_us_per_message"][HUIQUN.name] for each in taken[HUIQUN.name]]


def _others(taken: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[float]:
    return [each["cores_used"]["others"] for runs in taken.values() for each in runs]


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [round(our / their, 3) for our, their in zip(ours, theirs, strict=True)]

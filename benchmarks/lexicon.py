"""A large lexicon comes into force while messages are judged: how long that takes, and whether anybody notices."""

import asyncio
import resource
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import NamedTuple

import psutil

from benchmarks.contenders import tune_collector
from benchmarks.figures import Figure, Result, at_most
from benchmarks.messages import messages
from benchmarks.rulebooks import MADE, WORDS, lexicon_of
from benchmarks.screening import TODAY
from benchmarks.workspace import BenchmarkWorkspace, open_workspace
from local.stack import Stack
from moderation.evidence.model import gather_evidence
from moderation.lexicon.handlers import ImportWordListCommand, import_word_list
from moderation.lexicon.matching.words import Word
from moderation.policies.model import BUILT_IN_POLICY
from moderation.rulebook.handlers import RulebookKeeper

MEASUREMENT = "A new lexicon"
METHOD = (
    "{words:,} words with categories, severities and phrases, all streams on and pruned, are imported into MongoDB "
    "{rounds} times, every time other ones, while one event loop judges batches of {batch} messages and takes up what "
    "was imported. Compiling is the processor time of the process that is started for it, and the swap what the loop "
    "spends on it. By the clock, {wall:.1f} s passed from looking to the swap, and a hold-up is how much longer than "
    "usual a step took, which counts what other programs took. Medians of the {rounds} times."
)
_BATCH = 50
_MARKS = ("甲乙丙丁戊己", "庚辛壬癸子丑")
"""A word that only the even versions have, and one that only the odd ones have."""


class Step(NamedTuple):
    """A turn of the event loop, in which a batch is judged."""

    seconds: float
    processor_seconds: float
    swapped: bool


@dataclass(slots=True)
class Judging:
    """Judges the same batch again and again, and notes how long each step of the event loop took."""

    keeper: RulebookKeeper
    steps: list[Step] = field(default_factory=list)
    mixed: int = 0

    async def until(self, done: asyncio.Event) -> None:
        """Go on until told to stop, and then for one more step."""
        batch = [event.data for event in messages(_BATCH - 1)]
        batch.append(batch[0].model_copy(update={"text": "，".join(_MARKS)}))
        before, clock, processor = self.keeper.current(), time.perf_counter(), time.thread_time()
        last = False
        while not last:
            last = done.is_set()
            book = self.keeper.current()
            evidence = gather_evidence(batch, [book.mask_of(BUILT_IN_POLICY)] * _BATCH, book.lexicon, TODAY)
            self.mixed += len(evidence[-1].hits) != 1
            swapped, before = book is not before, book
            del book
            await asyncio.sleep(0)
            now, used = time.perf_counter(), time.thread_time()
            self.steps.append(Step(now - clock, used - processor, swapped))
            clock, processor = now, used

    def held_up(self) -> float:
        """By how many milliseconds the longest step was longer than usual, by the clock."""
        took = [step.seconds for step in self.steps]
        return 1000 * (max(took) - statistics.median(took))

    def swapping(self) -> float:
        """By how many milliseconds of its processor time the step with the swap was longer than usual."""
        usual = statistics.median(step.processor_seconds for step in self.steps)
        return 1000 * (max(step.processor_seconds for step in self.steps if step.swapped) - usual)


@dataclass(frozen=True, slots=True)
class Round:
    """What was found as one version followed another; hold-ups in milliseconds."""

    processor_seconds: float
    seconds: float
    swap: float
    longest: float
    undisturbed: float
    steps: int
    mixed: int


async def measure(stack: Stack, rounds: int, say: Callable[[str], None]) -> Result:
    """Take up `rounds` lexicons, one after the other."""
    tune_collector()
    process = psutil.Process()
    versions = [_version(number) for number in range(2)]
    taken: list[Round] = []
    async with open_workspace(stack) as laid:
        await laid.prepare_documents()
        keeper = RulebookKeeper(laid.database)
        await _import(laid, versions[0], 0)
        before = process.memory_info().rss
        await keeper.refresh()
        held = process.memory_info().rss - before
        for number in range(1, rounds + 1):
            await _import(laid, versions[number % 2], number)
            taken.append(await _take_up(keeper))
            say(f"taken up in {taken[-1].seconds:.1f} s, swapped in {taken[-1].swap:.1f} ms")
        after = process.memory_info().rss - before
    return _result(taken, held / 2**20, after / 2**20)


def _version(number: int) -> tuple[Word, ...]:
    return (*lexicon_of(WORDS - 1, seed=number), Word(f"mark-{number}", _MARKS[number], "fraud", list_name=MADE))


async def _import(laid: BenchmarkWorkspace, words: Sequence[Word], number: int) -> None:
    file = ImportWordListCommand(MADE, tuple(words), f"version {number}")
    await laid.transact(partial(import_word_list, command=file, author="bench"))


async def _take_up(keeper: RulebookKeeper) -> Round:
    """Judge for a second as usual, and then while the keeper reads, compiles and swaps."""
    usual = await _judge_during(keeper, asyncio.sleep(1))
    clock, processor = time.perf_counter(), _elsewhere()
    judging = await _judge_during(keeper, _refresh_twice(keeper))
    return Round(
        _elsewhere() - processor,
        time.perf_counter() - clock,
        judging.swapping(),
        judging.held_up(),
        usual.held_up(),
        len(judging.steps),
        judging.mixed,
    )


async def _judge_during(keeper: RulebookKeeper, awaited: Awaitable[None]) -> Judging:
    judging, done = Judging(keeper), asyncio.Event()
    task = asyncio.create_task(judging.until(done))
    await awaited
    done.set()
    await task
    return judging


async def _refresh_twice(keeper: RulebookKeeper) -> None:
    """Take up what is new; what it has replaced is let go the next time."""
    await keeper.refresh()
    await keeper.refresh()


def _elsewhere() -> float:
    """The processor seconds of the processes that this one has started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _result(taken: Sequence[Round], held: float, held_after: float) -> Result:
    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, taken))

    figures = [
        Figure("compile, with pruning", median(lambda each: each.processor_seconds), "s", at_most(3)),
        Figure("swap", median(lambda each: each.swap), "ms", at_most(5)),
        Figure("loop held up while it was read and compiled", median(lambda each: each.longest), "ms"),
        Figure("... in a second without", median(lambda each: each.undisturbed), "ms"),
        Figure("batches judged by both or neither", sum(each.mixed for each in taken), "", at_most(0)),
        Figure("memory of the first", held, "MiB"),
        Figure(f"... after {len(taken)} more", held_after, "MiB"),
    ]
    method = METHOD.format(words=WORDS, rounds=len(taken), batch=_BATCH, wall=median(lambda each: each.seconds))
    return Result(MEASUREMENT, figures, method, {"rounds": [asdict(each) for each in taken]})

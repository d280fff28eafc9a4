"""Screening alone: normalise + match, and the whole decision, on one core and without input or output."""

import random
import statistics
import time
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from benchmarks.contenders import tune_collector
from benchmarks.figures import Figure, Result, at_least, at_most
from benchmarks.messages import messages
from huiqun.contracts.channel import MessageReceived
from moderation.lexicon.model.matching import EVERY_POLICY, Lexicon
from moderation.lexicon.model.words import CATEGORIES, Word
from moderation.lexicon.shipped import shipped_background, shipped_words
from moderation.policies.model import DEFAULT_TIMEZONE, GroupSettings, Policies
from moderation.rulebook.model import Rulebook
from moderation.screening.model import add_joined_words, gather, judge, windows_of
from moderation.standing.model import Standing, key_of

WORDS = 60_000
BATCH = 500
MEASUREMENT = "Screening alone"
METHOD = (
    "one thread, {words:,} words, {messages:,} messages, one in twenty of which breaks a rule; median of {repeats} "
    "passes in batches of {batch}. Rates and percentiles are of processor time, so that other programs on the machine "
    "do not count. The decision looks up group and policy, gathers evidence (also over several messages of a member) "
    "and judges, with the standings in memory."
)
TODAY = date(2026, 3, 2)
_BITS = {category: 1 << number for number, category in enumerate(CATEGORIES)}


def measure(count: int, repeats: int) -> Result:
    """Time `count` messages, `repeats` times each."""
    tune_collector()
    words = lexicon_of(WORDS)
    started = time.perf_counter()
    rulebook = rulebook_of(words)
    compiling = time.perf_counter() - started
    events = messages(count)
    texts = [event.data.text for event in events]
    exact = Lexicon(words, _masks(words))
    exactly = [count / _match(exact, texts) for _ in range(repeats)]
    matching = [count / _match(rulebook.lexicon, texts) for _ in range(repeats)]
    passes = [_decide(rulebook, events, BATCH) for _ in range(repeats)]
    deciding = [count / seconds for seconds, _ in passes]
    batched = [seconds / BATCH for _, batches in passes for seconds in batches]
    _, alone = _decide(rulebook, events, 1)
    method = METHOD.format(words=WORDS, messages=count, repeats=repeats, batch=BATCH)
    figures = [
        Figure("normalise + match, as spelt", statistics.median(exactly), "messages/s", at_least(300_000)),
        Figure("... by sound and look as well", statistics.median(matching), "messages/s", at_least(300_000)),
        Figure("whole decision", statistics.median(deciding), "messages/s", at_least(50_000)),
        Figure("decision, p99, one message at a time", _p99(alone) * 1e6, "µs", at_most(100)),
        Figure(f"decision, p99, a message in a batch of {BATCH}", _p99(batched) * 1e6, "µs"),
    ]
    details = {
        "compile_seconds": round(compiling, 3),
        "match_rates_as_spelt": [round(rate) for rate in exactly],
        "match_rates": [round(rate) for rate in matching],
        "decision_rates": [round(rate) for rate in deciding],
        "decision_median_us_one_at_a_time": round(statistics.median(alone) * 1e6, 2),
        "share_with_hit": sum(map(bool, rulebook.lexicon.scan(texts))) / count,
    }
    return Result(MEASUREMENT, figures, method, details)


def lexicon_of(count: int) -> list[Word]:
    """The words that come with moderation and, up to `count`, random ones of three to six Han characters."""
    chance = random.Random(3)
    words = list(shipped_words())
    texts: set[str] = set()
    while len(words) + len(texts) < count:
        texts.add(_han(chance, chance.choice((3, 3, 4, 4, 5, 6))))
    for index, text in enumerate(sorted(texts)):
        allow = (_han(chance, 2) + text,) if index % 10 == 0 else ()
        words.append(Word(f"made/{text}", text, CATEGORIES[index % len(CATEGORIES)], index % 5 + 1, allow))
    return words


def rulebook_of(words: Sequence[Word]) -> Rulebook:
    """A rulebook with the lexicon compiled as the keeper of a service's process does it."""
    groups = {f"g{number:03d}": GroupSettings(timezone=ZoneInfo(DEFAULT_TIMEZONE)) for number in range(300)}
    lexicon = Lexicon(words, _masks(words), fuzzy=EVERY_POLICY, background=shipped_background())
    return Rulebook(Policies({}, groups), lexicon, "bench", _BITS)


def _masks(words: Sequence[Word]) -> list[int]:
    return [_BITS[word.category] for word in words]


def _match(lexicon: Lexicon, texts: Sequence[str]) -> float:
    """Return the processor seconds of one pass over the texts."""
    started = time.thread_time()
    for start in range(0, len(texts), BATCH):
        lexicon.scan(texts[start : start + BATCH], None, TODAY)
    return time.thread_time() - started


def _decide(rulebook: Rulebook, events: Sequence[MessageReceived], size: int) -> tuple[float, list[float]]:
    """Judge the messages in batches as screening does; return processor seconds of all and of each batch."""
    pairs = {(event.data.group_id, event.data.sender.member_id) for event in events}
    standings = {key_of(*pair): Standing(*pair) for pair in pairs}
    taken: list[float] = []
    processor = time.thread_time()
    for start in range(0, len(events), size):
        before = time.thread_time()
        _judge(rulebook, events[start : start + size], standings)
        taken.append(time.thread_time() - before)
    return time.thread_time() - processor, taken


def _judge(rulebook: Rulebook, events: Sequence[MessageReceived], standings: dict[str, Standing]) -> None:
    found = [event.data for event in events]
    settings = [rulebook.policies.settings_of(message.group_id) for message in found]
    policies = [rulebook.policies.policy_of(each) for each in settings]
    masks = [rulebook.mask_of(policy) for policy in policies]
    evidence = gather(found, masks, rulebook.lexicon, TODAY)
    add_joined_words(evidence, windows_of(found, standings), masks, rulebook.lexicon, TODAY)
    for message, policy, group, shown in zip(found, policies, settings, evidence, strict=True):
        judge(message, policy, group, standings[key_of(message.group_id, message.sender.member_id)], shown)


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


def _han(chance: random.Random, length: int) -> str:
    return "".join(chr(chance.randrange(0x4E00, 0x4E00 + 3500)) for _ in range(length))

"""Screening alone: normalise + match, and the whole decision, on one core and without input or output."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from benchmarks.contenders import tune_collector
from benchmarks.figures import Figure, Result, at_least, at_most
from benchmarks.messages import GROUPS, messages
from benchmarks.rulebooks import POLICIES, WORDS, institution_of, lexicon_of, masks_of
from huiqun.contracts.channel import MessageReceived
from moderation.evidence.model import add_split_words, gather_evidence, list_message_windows
from moderation.lexicon.matching.matcher import Lexicon
from moderation.rulebook.model import Rulebook
from moderation.standings.model import Standing, standing_key
from moderation.verdicts.model import judge_message

BATCH = 500
MEASUREMENT = "Screening alone"
METHOD = (
    "one thread, {words:,} words, {groups:,} groups under {policies} policies that differ, "
    "{messages:,} messages, one in twenty of which breaks a rule; median of {repeats} passes in batches of {batch}. "
    "Rates and percentiles are of processor time, so that other programs on the machine do not count. The decision "
    "looks up group and policy, gathers evidence (also over several messages of a member) and judges, with the "
    "standings in memory."
)
TODAY = date(2026, 3, 2)
GROUP_IDS = tuple(f"g{number:03d}-{part}" for number in range(GROUPS) for part in range(7))


def measure(count: int, repeats: int) -> Result:
    """Time `count` messages, `repeats` times each."""
    tune_collector()
    words = lexicon_of(WORDS)
    rulebook = institution_of(words, GROUP_IDS)
    events = _spread(messages(count))
    texts = [event.data.text for event in events]
    exact = Lexicon(words, masks_of(words))
    exactly = [count / _match(exact, texts) for _ in range(repeats)]
    matching = [count / _match(rulebook.lexicon, texts) for _ in range(repeats)]
    passes = [_decide(rulebook, events, BATCH) for _ in range(repeats)]
    deciding = [count / seconds for seconds, _ in passes]
    spelt = replace(rulebook, lexicon=exact)
    deciding_exactly = [count / _decide(spelt, events, BATCH)[0] for _ in range(repeats)]
    batched = [seconds / BATCH for _, batches in passes for seconds in batches]
    _, alone = _decide(rulebook, events, 1)
    method = METHOD.format(
        words=WORDS, groups=len(GROUP_IDS), policies=POLICIES, messages=count, repeats=repeats, batch=BATCH
    )
    figures = [
        Figure("normalise + match, as spelt", statistics.median(exactly), "messages/s", at_least(300_000)),
        Figure("... by sound and look as well", statistics.median(matching), "messages/s", at_least(300_000)),
        Figure("whole decision, as spelt", statistics.median(deciding_exactly), "messages/s", at_least(50_000)),
        Figure("... by sound and look as well", statistics.median(deciding), "messages/s", at_least(40_000)),
        Figure("decision, p99, one message at a time", _p99(alone) * 1e6, "µs", at_most(100)),
        Figure(f"decision, p99, a message in a batch of {BATCH}", _p99(batched) * 1e6, "µs"),
    ]
    details = {
        "match_rates_as_spelt": [round(rate) for rate in exactly],
        "match_rates": [round(rate) for rate in matching],
        "decision_rates_as_spelt": [round(rate) for rate in deciding_exactly],
        "decision_rates": [round(rate) for rate in deciding],
        "decision_median_us_one_at_a_time": round(statistics.median(alone) * 1e6, 2),
        "share_with_hit": sum(map(bool, rulebook.lexicon.scan_texts(texts))) / count,
    }
    return Result(MEASUREMENT, figures, method, details)


def _spread(events: Sequence[MessageReceived]) -> list[MessageReceived]:
    """The messages over seven times as many groups."""
    return [
        event.model_copy(update={"data": event.data.model_copy(update={"group_id": f"{event.data.group_id}-{n % 7}"})})
        for n, event in enumerate(events)
    ]


def _match(lexicon: Lexicon, texts: Sequence[str]) -> float:
    """Return the processor seconds of one pass over the texts."""
    started = time.thread_time()
    for start in range(0, len(texts), BATCH):
        lexicon.scan_texts(texts[start : start + BATCH], None, TODAY)
    return time.thread_time() - started


def _decide(rulebook: Rulebook, events: Sequence[MessageReceived], size: int) -> tuple[float, list[float]]:
    """Judge the messages in batches as screening does; return processor seconds of all and of each batch."""
    pairs = {(event.data.group_id, event.data.sender.member_id) for event in events}
    standings = {standing_key(*pair): Standing(*pair) for pair in pairs}
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
    evidence = gather_evidence(found, masks, rulebook.lexicon, TODAY)
    add_split_words(evidence, list_message_windows(found, standings), masks, rulebook.lexicon, TODAY)
    for message, policy, group, shown in zip(found, policies, settings, evidence, strict=True):
        judge_message(
            message, policy, group, standings[standing_key(message.group_id, message.sender.member_id)], shown
        )


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]

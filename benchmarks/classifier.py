"""The classifier: how well it tells offensive comments, how long it takes, and what it makes of benign texts."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cold import FLATTERING, precision_and_recall, quality, read_split, split_file
from benchmarks.contenders import tune_collector
from benchmarks.evasion import BENIGN
from benchmarks.figures import Figure, Result, at_most
from benchmarks.messages import messages
from moderation.classifier.handlers import load_shipped_classifier
from moderation.classifier.model import Classifier
from moderation.policies.sections.content_rules import ClassifierRule

MEASUREMENT = "Classifier"
METHOD = (
    "one thread, batches of {batch}, median of {repeats} passes over {messages:,} messages of the length that the "
    "other measurements use, in processor time. Benign: the texts that no part of moderation was made with. {cold}"
)
BATCH = 500


def measure(count: int, repeats: int, cold: Path, say: Callable[[str], None]) -> Result:
    """Time `count` messages, and compare with the dev split of COLD where the folder `cold` has it."""
    tune_collector()
    classifier = load_shipped_classifier()
    benign = BENIGN.read_text(encoding="utf-8").splitlines()
    threshold = ClassifierRule().threshold
    figures = [
        _time("a message", classifier, [event.data.text for event in messages(count)], repeats),
        Figure(
            f"benign texts at {threshold} and above",
            sum(score >= threshold for score in classifier.score_batch(benign)) / len(benign),
            "of 1",
        ),
    ]
    if split_file(cold, "dev").is_file():
        about = FLATTERING
        figures += _on_cold(classifier, cold, threshold, repeats)
    else:
        about = f"Accuracy was not measured: there is no {split_file(cold, 'dev').name} in {cold}; --cold says where."
        say(about)
    method = METHOD.format(batch=BATCH, repeats=repeats, messages=count, cold=about)
    return Result(MEASUREMENT, figures, method)


def _on_cold(classifier: Classifier, cold: Path, threshold: float, repeats: int) -> list[Figure]:
    comments = read_split(cold, "dev")
    texts = [comment.text for comment in comments]
    scores = classifier.score_batch(texts)
    found = quality(scores, comments)
    precision, recall = precision_and_recall(scores, comments, threshold)
    return [
        _time("a comment of COLD, some 48 characters", classifier, texts, repeats),
        Figure("accuracy on COLD's dev split", found.accuracy, "of 1"),
        Figure("macro-F1 on COLD's dev split", found.macro_f1, "of 1"),
        Figure(f"... precision at {threshold} and above", precision, "of 1"),
        Figure("... recall", recall, "of 1"),
    ]


def _time(name: str, classifier: Classifier, texts: Sequence[str], repeats: int) -> Figure:
    taken = [_pass(classifier, texts) / len(texts) for _ in range(repeats)]
    return Figure(name, statistics.median(taken) * 1e6, "µs", at_most(10))


def _pass(classifier: Classifier, texts: Sequence[str]) -> float:
    """Return the processor seconds of one pass over the texts."""
    started = time.thread_time()
    for start in range(0, len(texts), BATCH):
        classifier.score_batch(texts[start : start + BATCH])
    return time.thread_time() - started

"""`python -m benchmarks.train_classifier [--cold FOLDER]`: train the classifier on COLD and write its weights."""

import argparse
import csv
import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks.cold import COLD, FLATTERING, precision_and_recall, quality, read_split
from benchmarks.figures import BenchmarkError
from moderation import classifier
from moderation.classifier.model import Classifier, fold_texts, list_runs, logistic_probability
from moderation.lexicon.handlers import shipped_background
from moderation.policies.sections.content_rules import ClassifierRule

WEIGHTS = Path(classifier.__file__).parent / "data" / "classifier.csv"
KEPT = 2_000
"""More runs tell no better and take longer to read: 40,000 take more than twice as long at the same accuracy."""

# A run that fewer comments share says more about these comments than about abuse.
_LEAST_COMMENTS = 5
_EPOCHS = 6
_SEED = 4
_DECAY = 1e-5
# The bias is in every text, so that it would run ahead of everything else at the full step.
_BIAS_STEP = 0.01
_LARGEST = 127


@dataclass(frozen=True, slots=True)
class Example:
    """The runs of characters in a text, each once, and whether the text is abusive."""

    runs: frozenset[str]
    abusive: bool


@dataclass(frozen=True, slots=True)
class Model:
    """A weight for each run, and what speaks for abuse before anything is read."""

    weights: dict[str, float]
    bias: float


def examples_from(folder: Path) -> list[Example]:
    """COLD's training split, and the benign texts that moderation comes with: COLD has nothing from a bank's group."""
    comments = read_split(folder, "train")
    benign = shipped_background()
    folded = fold_texts([*(comment.text for comment in comments), *benign])
    labels = chain((comment.offensive for comment in comments), (False for _ in benign))
    return [Example(frozenset(list_runs(text)), abusive) for text, abusive in zip(folded, labels, strict=True)]


def train(examples: Sequence[Example], kept: int) -> Model:
    """Fit all common runs, keep those of the greatest weight, and fit these again."""
    spread = Counter(chain.from_iterable(example.runs for example in examples))
    everything = fit(examples, (run for run, count in spread.items() if count >= _LEAST_COMMENTS))
    ranked = sorted(everything.weights.items(), key=lambda item: (-abs(item[1]), item[0]))
    return fit(examples, (run for run, _ in ranked[:kept]))


def fit(examples: Sequence[Example], vocabulary: Iterable[str]) -> Model:
    """Logistic regression by stochastic gradient descent over the runs in `vocabulary`; the same each time."""
    names = sorted(vocabulary)
    numbers = {run: number for number, run in enumerate(names)}
    rows = [
        (sorted(numbers[run] for run in example.runs if run in numbers), float(example.abusive)) for example in examples
    ]
    rows = [row for row in rows if row[0]]
    weights = [0.0] * len(names)
    bias = 0.0
    chance = random.Random(_SEED)
    for epoch in range(_EPOCHS):
        chance.shuffle(rows)
        step = 1 / (1 + epoch)
        for known, label in rows:
            scale = 1 / math.sqrt(len(known))
            error = label - logistic_probability(bias + scale * sum([weights[number] for number in known]))
            bias += step * error * _BIAS_STEP
            push = step * error * scale
            keep = 1 - step * _DECAY
            for number in known:
                weights[number] = weights[number] * keep + push
    return Model(dict(zip(names, weights, strict=True)), bias)


def write(model: Model, path: Path) -> int:
    """Write the weights in whole numbers of -127 to 127, without those that round to nothing; return how many."""
    unit = max(map(abs, model.weights.values())) / _LARGEST
    rounded = [(run, round(weight / unit)) for run, weight in model.weights.items()]
    rows = [(run, weight) for run, weight in rounded if weight]
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([(f"{unit:.6g}", f"{model.bias:.6g}"), *rows])
    return len(rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_classifier", description=__doc__)
    parser.add_argument("--cold", type=Path, default=COLD, help=f"the folder with COLD's files; {COLD} if not given")
    folder = parser.parse_args().cold
    try:
        examples, dev = examples_from(folder), read_split(folder, "dev")
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(examples):,} texts, {sum(example.abusive for example in examples):,} of them abusive")
    count = write(train(examples, KEPT), WEIGHTS)
    print(f"{WEIGHTS.name}: {count:,} runs of characters, {WEIGHTS.stat().st_size:,} bytes")
    # As a service reads it, rounding included.
    scores = Classifier.parse(WEIGHTS.read_text(encoding="utf-8")).score_batch([comment.text for comment in dev])
    found = quality(scores, dev)
    print(f"dev split: accuracy {found.accuracy:.4f}, macro-F1 {found.macro_f1:.4f}")
    threshold = ClassifierRule().threshold
    precision, recall = precision_and_recall(scores, dev, threshold)
    print(f"at a threshold of {threshold}: precision {precision:.4f}, recall {recall:.4f}")
    known = {comment.text for comment in read_split(folder, "train")}
    shared = sum(comment.text in known for comment in dev)
    print(f"{FLATTERING} {shared} of its texts also stand in the training split,")
    print("and 45 of the training texts in the public test split.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

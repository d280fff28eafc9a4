"""Reads COLD, the Chinese Offensive Language Dataset, which lies outside the repository, and measures against it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import BenchmarkError

COLD = Path(__file__).parents[2] / "shared" / "data" / "cold"
"""Where the files are looked for unless told otherwise: beside the checkout."""
FLATTERING = "COLD's dev split shares the labelling of the training split, so its figures are flattering."


@dataclass(frozen=True, slots=True)
class Comment:
    """A public comment and whether the annotators found it offensive."""

    text: str
    offensive: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """How well probabilities tell offensive comments: shares from 0 to 1."""

    accuracy: float
    macro_f1: float


def split_file(folder: Path, split: str) -> Path:
    """Where the "train" or "dev" split lies."""
    return folder / f"cold_{split}.csv"


def read_split(folder: Path, split: str) -> list[Comment]:
    """Read the "train" or "dev" split; BenchmarkError where it is not there."""
    path = split_file(folder, split)
    if not path.is_file():
        raise BenchmarkError(f"there is no {path}")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [Comment(row["TEXT"], row["label"] == "1") for row in csv.DictReader(lines)]


def quality(scores: Sequence[float], comments: Sequence[Comment]) -> Quality:
    """Accuracy, and the mean of the F1 of either class, where 0.5 and more is taken for offensive."""
    pairs = [(score >= 0.5, comment.offensive) for score, comment in zip(scores, comments, strict=True)]
    right = sum(said == is_so for said, is_so in pairs)
    return Quality(right / len(pairs), (_f1(pairs, of=True) + _f1(pairs, of=False)) / 2)


def precision_and_recall(scores: Sequence[float], comments: Sequence[Comment], threshold: float) -> tuple[float, float]:
    """Of what scores `threshold` or more, the share that is offensive; and the share of the offensive that does."""
    above = [comment.offensive for score, comment in zip(scores, comments, strict=True) if score >= threshold]
    offensive = sum(comment.offensive for comment in comments)
    return sum(above) / max(1, len(above)), sum(above) / max(1, offensive)


def _f1(pairs: Sequence[tuple[bool, bool]], *, of: bool) -> float:
    both = sum(said is of and is_so is of for said, is_so in pairs)
    either = sum((said is of) + (is_so is of) for said, is_so in pairs)
    return 2 * both / either if either else 0.0

"""Tells how much a text resembles abuse: a linear model over runs of one to three characters, read by an automaton."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import exp, sqrt
from typing import Final, Self

import daachorse

from moderation.lexicon.matching.folding import FOLDED, join_texts
from moderation.lexicon.matching.folding_tables import SEPARATOR

LONGEST_RUN: Final = 3
# Beyond this the exponential would overflow, and the probability is 0 or 1 to ten places.
_CERTAIN: Final = 25.0


class Classifier:
    """Weights of runs of characters, compiled for reading. Immutable, and the same text always scores the same."""

    def __init__(self, weights: Mapping[str, int], unit: float, bias: float) -> None:
        """`weights` are whole numbers of `unit`, by run of the folded text; at least one is needed."""
        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(weights))
        self._weights = tuple(weights.values())
        self._unit = unit
        self._bias = bias

    @classmethod
    def parse(cls, content: str) -> Self:
        """Read what `write` wrote: unit and bias in the first row, then a run of characters and its weight in each."""
        rows = csv.reader(content.splitlines())
        unit, bias = map(float, next(rows))
        return cls({run: int(weight) for run, weight in rows}, unit, bias)

    def score(self, text: str) -> float:
        """The probability that a text is abusive, 0 to 1; 0 for a text in which nothing is known."""
        return self.score_batch([text])[0]

    def score_batch(self, texts: Sequence[str]) -> list[float]:
        """The probability for each text; folding is done for all of them at once."""
        if not texts:
            return []
        return [self._probability(folded) for folded in fold_texts(texts)]

    def _probability(self, folded: str) -> float:
        """A run counts once however often it stands there, and a long text no more than a short one that is as bad."""
        known = {pattern for _, _, pattern in self._automaton.find_overlapping(folded)}
        if not known:
            return 0.0
        total = sum(map(self._weights.__getitem__, known))
        return logistic_probability(self._bias + self._unit * total / sqrt(len(known)))


def fold_texts(texts: Sequence[str]) -> list[str]:
    """The folded spelling of each text, of which there is at least one."""
    return join_texts(texts).translate(FOLDED).split(SEPARATOR)


def list_runs(folded: str) -> Iterator[str]:
    """Every run of one to three characters of a folded text, which may name one repeatedly."""
    yield from folded
    for length in range(2, LONGEST_RUN + 1):
        yield from map("".join, zip(*(islice(folded, start, None) for start in range(length)), strict=False))


def logistic_probability(evidence: float) -> float:
    """The logistic function: 0.5 at no evidence either way."""
    return 1 / (1 + exp(-max(-_CERTAIN, min(_CERTAIN, evidence))))

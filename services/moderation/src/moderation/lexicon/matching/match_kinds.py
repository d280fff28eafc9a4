"""The kinds of matches: how a word was spelt when it was found, and how far that is to be believed.

In events and over HTTP a match kind is called `stream`.
"""

from enum import StrEnum
from typing import Final


class MatchKind(StrEnum):
    """How a found word is written in the text."""

    FOLDED = "folded"
    STRIPPED = "stripped"
    REPEATED = "repeated"
    LOOKALIKE = "lookalike"
    SPLIT = "split"
    ACROSS = "across"
    PINYIN = "pinyin"
    LATIN = "latin"

    @property
    def confidence(self) -> float:
        return _CONFIDENCES[self]

    @property
    def is_exact(self) -> bool:
        """Exact evidence may lead to any action; fuzzy evidence alone to a warning or a review at most."""
        return self in _EXACT


_CONFIDENCES: Final = {
    MatchKind.FOLDED: 1.0,
    MatchKind.STRIPPED: 0.95,
    MatchKind.REPEATED: 0.85,
    MatchKind.LOOKALIKE: 0.8,
    MatchKind.SPLIT: 0.8,
    MatchKind.ACROSS: 0.7,
    MatchKind.PINYIN: 0.6,
    MatchKind.LATIN: 0.6,
}
_EXACT: Final = frozenset({MatchKind.FOLDED, MatchKind.STRIPPED})

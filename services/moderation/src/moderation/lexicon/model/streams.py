"""The streams a text is matched in: how a word was spelt when it was found, and how far that is to be believed."""

from enum import StrEnum
from typing import Final


class Stream(StrEnum):
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
        return _CONFIDENCE[self]

    @property
    def is_exact(self) -> bool:
        """Exact evidence may lead to any action; fuzzy evidence alone to a warning or a review at most."""
        return self in _EXACT


_CONFIDENCE: Final = {
    Stream.FOLDED: 1.0,
    Stream.STRIPPED: 0.95,
    Stream.REPEATED: 0.85,
    Stream.LOOKALIKE: 0.8,
    Stream.SPLIT: 0.8,
    Stream.ACROSS: 0.7,
    Stream.PINYIN: 0.6,
    Stream.LATIN: 0.6,
}
_EXACT: Final = frozenset({Stream.FOLDED, Stream.STRIPPED})

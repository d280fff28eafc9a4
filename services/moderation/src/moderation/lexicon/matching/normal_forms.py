"""The normal forms in which texts and words are compared: plain, lookalike, pinyin, and pinyin typed in letters."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from moderation.lexicon.matching.folding_tables import SEPARATOR
from moderation.lexicon.matching.lookalikes import list_split_spellings, normalize_lookalikes
from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.pinyin import (
    is_pinyin_syllable,
    normalize_pinyin,
    normalize_typed_pinyin,
    spell_pinyin,
)
from moderation.lexicon.matching.text_batch import NormalizedText, TextBatch

_SHORTEST_FUZZY: Final = 2


@dataclass(frozen=True, slots=True)
class NormalForm:
    """How a batch is normalized, and as which patterns each of many words appears in that form."""

    normalize: Callable[[TextBatch], NormalizedText]
    list_patterns: Callable[[Sequence[str]], Iterator[dict[str, MatchKind]]]


def _split_texts(normalized: NormalizedText, words: Sequence[str]) -> list[str]:
    """Take a normalized batch apart; of no words there are no parts, although an empty text splits into one."""
    return normalized.text.split(SEPARATOR) if words else []


def _plain_patterns(words: Sequence[str]) -> Iterator[dict[str, MatchKind]]:
    return ({key: MatchKind.STRIPPED} if key else {} for key in _split_texts(TextBatch(words).stripped, words))


def _lookalike_patterns(words: Sequence[str]) -> Iterator[dict[str, MatchKind]]:
    batch = TextBatch(words)
    stripped = _split_texts(batch.stripped, words)
    # The halves of a single character are a word of their own too often: 女票.
    halves = [list_split_spellings(word) if len(word) >= _SHORTEST_FUZZY else [] for word in stripped]
    every_half = [half for some in halves for half in some]
    shaped_halves = iter(_split_texts(normalize_lookalikes(TextBatch(every_half)), every_half))
    for word, shaped, some in zip(stripped, _split_texts(normalize_lookalikes(batch), words), halves, strict=True):
        # Short Latin words and numbers look like too much else once 8 is b and 0 is o.
        patterns = {shaped: MatchKind.LOOKALIKE} if len(shaped) >= _SHORTEST_FUZZY + word.isascii() else {}
        for _ in some:
            patterns.setdefault(next(shaped_halves), MatchKind.SPLIT)
        yield patterns


def _pinyin_patterns(words: Sequence[str]) -> Iterator[dict[str, MatchKind]]:
    batch = TextBatch(words)
    stripped = batch.stripped
    all_sounded = _split_texts(normalize_pinyin(batch), words)
    all_typed = _split_texts(normalize_pinyin(TextBatch(spell_pinyin(stripped.text).split(SEPARATOR))), words)
    return (
        # Typed without spaces, a word may be cut differently: fan gan or fang an.
        {typed: MatchKind.LATIN, sounded: MatchKind.PINYIN}
        if len(sounded) >= _SHORTEST_FUZZY and not word.isascii() and any(map(is_pinyin_syllable, sounded))
        else {}
        for sounded, typed, word in zip(all_sounded, all_typed, _split_texts(stripped, words), strict=True)
    )


PLAIN: Final = NormalForm(lambda batch: batch.stripped, _plain_patterns)
LOOKALIKE: Final = NormalForm(normalize_lookalikes, _lookalike_patterns)
PINYIN: Final = NormalForm(normalize_pinyin, _pinyin_patterns)
# The same patterns, for the words that sound like too much else to be found in other than typed letters.
TYPED_PINYIN: Final = NormalForm(normalize_typed_pinyin, _pinyin_patterns)
NORMAL_FORMS: Final = (PLAIN, LOOKALIKE, PINYIN, TYPED_PINYIN)
"""In the order in which they are believed."""

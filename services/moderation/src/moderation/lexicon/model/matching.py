"""Finds the words of a lexicon in a batch of texts: one pass for the batch, work per text only where one hit."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import accumulate, chain
from typing import Final, Self

from daachorse import CharwiseDoubleArrayAhoCorasick as Automaton

from moderation.lexicon.model.folding import FOLDED, SEPARATOR, STRIPPED, fold, join, offsets, strip
from moderation.lexicon.model.words import Word

EVERY_POLICY: Final = -1
"""The mask with every bit set."""

# A text of 100,000 times the same bad word is judged by its first hits; the rest would cost time and change nothing.
MAX_HITS: Final = 64
# Clauses meet here: the two characters around it belong together only by accident (请插入口，交给柜员).
_CLAUSE_ENDS: Final = frozenset("，。！？；：、…,!?;:\n\r\t")
_SHORTEST_WITHOUT_SYMBOLS: Final = 4


class Stream(StrEnum):
    """Which reading of the text a hit was found in."""

    FOLDED = "folded"
    STRIPPED = "stripped"


CONFIDENCE: Final = {Stream.FOLDED: 1.0, Stream.STRIPPED: 0.95}


@dataclass(frozen=True, slots=True)
class Hit:
    """`word` stands in `text[start:end]` of the original text, read as `stream` reads it."""

    word: Word
    stream: Stream
    start: int
    end: int

    @property
    def word_id(self) -> str:
        return self.word.id

    @property
    def category(self) -> str:
        return self.word.category

    @property
    def severity(self) -> int:
        return self.word.severity

    @property
    def confidence(self) -> float:
        return CONFIDENCE[self.stream]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What it means that a key was found: words it is, and (word, offset) of words it excuses at that offset."""

    words: tuple[int, ...]
    excused: tuple[tuple[int, int], ...]


# A find in one text: start, end, pattern; offsets into the stripped text.
_Find = tuple[int, int, int]


class Lexicon:
    """Words compiled for matching. Immutable: a new version is a new object, and taking it into use an assignment."""

    def __init__(self, words: Sequence[Word], masks: Sequence[int] | None = None) -> None:
        """Compile `words`; `masks[i]` has a bit for each policy that uses `words[i]`; without, every policy does."""
        self.words = tuple(words)
        self._masks = tuple(masks) if masks is not None else (EVERY_POLICY,) * len(self.words)
        if len(self._masks) != len(self.words):
            raise ValueError("as many masks as words are needed")
        self._keys = [strip(word.text) for word in self.words]
        keys, self._patterns = _patterns(self.words, self._keys)
        self._automaton = Automaton(keys)

    @classmethod
    def empty(cls) -> Self:
        """A lexicon that finds nothing."""
        return cls(())

    def scan(
        self, texts: Sequence[str], masks: Sequence[int] | None = None, on: date | None = None
    ) -> list[tuple[Hit, ...]]:
        """Return the hits of each text, ordered by position.

        `masks[i]` are the bits of the policies that `texts[i]` is judged by. Words not valid `on` that day are left
        out; without a day, validity is not looked at.
        """
        hits: list[tuple[Hit, ...]] = [()] * len(texts)
        if not texts or not self.words:
            return hits
        stripped = join(texts).translate(STRIPPED)
        found = self._automaton.find_overlapping(stripped)
        if found:
            for index, (text_stripped, finds) in _by_text(stripped, found).items():
                mask = EVERY_POLICY if masks is None else masks[index]
                candidates = self._candidates(finds, mask, on)
                if candidates:
                    hits[index] = self._locate(texts[index], text_stripped, candidates)
        return hits

    def _candidates(self, finds: list[_Find], mask: int, on: date | None) -> list[tuple[int, int, int]]:
        """Return (word, start, end) of the finds that the policy uses, that are valid, and that no phrase excuses."""
        excused: set[tuple[int, int]] = set()
        candidates: list[tuple[int, int, int]] = []
        for start, end, pattern_index in finds:
            pattern = self._patterns[pattern_index]
            excused.update((word, start + offset) for word, offset in pattern.excused)
            candidates.extend(
                (word, start, end)
                for word in pattern.words
                if self._masks[word] & mask and (on is None or self.words[word].valid_on(on))
            )
        return [candidate for candidate in candidates if candidate[:2] not in excused] if excused else candidates

    def _locate(self, text: str, stripped: str, candidates: list[tuple[int, int, int]]) -> tuple[Hit, ...]:
        origins = offsets(text.replace(SEPARATOR, " "), STRIPPED)
        hits: list[Hit] = []
        for word_index, start, end in candidates:
            word, key = self.words[word_index], self._keys[word_index]
            stream = _stream(word, key, text, origins[start:end])
            if stream is None or not _stands_alone(key, *_neighbours(text, origins[start], origins[end - 1])):
                continue
            around = stripped[start - 1 : start], stripped[end : end + 1]
            if stream is Stream.STRIPPED and not _stands_alone(key, *around):
                continue
            hits.append(Hit(word, stream, origins[start], origins[end - 1] + 1))
            if len(hits) == MAX_HITS:
                break
        return without_contained(hits)


def without_contained(hits: list[Hit]) -> tuple[Hit, ...]:
    """Order by position and drop what a longer hit of the same category, no milder, already says."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, -hit.confidence, hit.word.id)):
        if not any(_contains(other, hit) for other in kept):
            kept.append(hit)
    return tuple(kept)


def _contains(outer: Hit, inner: Hit) -> bool:
    same_topic = outer.word is inner.word or (
        outer.category == inner.category and outer.severity >= inner.severity and outer.word.text != inner.word.text
    )
    return same_topic and outer.start <= inner.start and inner.end <= outer.end


def _patterns(words: Sequence[Word], keys: Sequence[str]) -> tuple[list[str], list[_Pattern]]:
    """Return the keys of the automaton and, at the same index, what finding each of them means."""
    meant: dict[str, list[int]] = {}
    excused: dict[str, list[tuple[int, int]]] = {}
    for index, (word, key) in enumerate(zip(words, keys, strict=True)):
        if not key:
            continue
        meant.setdefault(key, []).append(index)
        for phrase in word.allow:
            phrase_key = strip(phrase)
            at = phrase_key.find(key)
            while at != -1:
                excused.setdefault(phrase_key, []).append((index, at))
                at = phrase_key.find(key, at + 1)
    found = list(dict.fromkeys(chain(meant, excused)))
    return found, [_Pattern(tuple(meant.get(key, ())), tuple(excused.get(key, ()))) for key in found]


def _by_text(stripped: str, found: list[_Find]) -> dict[int, tuple[str, list[_Find]]]:
    """Sort the finds of a joined batch by text, with offsets into that text."""
    parts = stripped.split(SEPARATOR)
    starts = list(accumulate((len(part) + 1 for part in parts), initial=0))
    grouped: dict[int, tuple[str, list[_Find]]] = {}
    for start, end, pattern in found:
        index = bisect_right(starts, start) - 1
        shift = starts[index]
        grouped.setdefault(index, (parts[index], []))[1].append((start - shift, end - shift, pattern))
    return grouped


def _stream(word: Word, key: str, text: str, origins: list[int]) -> Stream | None:
    """Tell how the word is spelt here, or None if its characters only meet across the end of a clause."""
    written, spelt = fold(text[origins[0] : origins[-1] + 1]), fold(word.text)
    if written == spelt:
        return Stream.FOLDED
    if spelt != key and len(key) < _SHORTEST_WITHOUT_SYMBOLS:
        return None  # t.me is no word without its symbol
    if written == key:
        return Stream.FOLDED
    if len(key) == 2:
        gap = [char for char in text[origins[0] + 1 : origins[1]] if FOLDED[ord(char)] is not None]
        if gap and _CLAUSE_ENDS.issuperset(gap):
            return None
    return Stream.STRIPPED


def _neighbours(text: str, first: int, last: int) -> tuple[str, str]:
    """Return the folded characters just before and after `text[first : last + 1]`, empty at the ends."""
    before, after = first - 1, last + 1
    while before >= 0 and FOLDED[ord(text[before])] is None:
        before -= 1
    while after < len(text) and FOLDED[ord(text[after])] is None:
        after += 1
    return fold(text[before : before + 1])[-1:] if before >= 0 else "", fold(text[after : after + 1])[:1]


def _stands_alone(key: str, before: str, after: str) -> bool:
    """A Latin word counts only as a whole (sm, but not in small); so does a lone letter at the edge of a mixed one."""
    latin = key.isascii()
    left = _ends_word(key[0], before) or not (latin or not key[1].isascii())
    return left and (_ends_word(key[-1], after) or not (latin or not key[-2].isascii()))


def _ends_word(edge: str, neighbour: str) -> bool:
    if not (edge.isascii() and neighbour.isascii()):
        return True
    return not neighbour.isalnum() if edge.isdecimal() else not neighbour.isalpha()

"""Judges one find: does the word really stand there on its own, and how is it written?"""

from dataclasses import dataclass
from typing import Final

from moderation.lexicon.model.batches import Span
from moderation.lexicon.model.folding import FOLDED, fold, strip
from moderation.lexicon.model.streams import Stream
from moderation.lexicon.model.words import Word

# Clauses meet here: the two characters around it belong together only by accident (请插入口，交给柜员).
_CLAUSE_ENDS: Final = frozenset("，。！？；：、…,!?;:\n\r\t")
_SHORTEST_WITHOUT_SYMBOLS: Final = 4
_SHORTEST_LATIN: Final = 4
# A shorter run of typed syllables is part of some other word unless it stands between other signs.
_SURE_LATIN: Final = 7
_FEW_SYLLABLES: Final = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A key at `read[start:end]` of the reading of a batch; `spans` are where its characters stand in `text`, the batch
    as it is."""

    text: str
    read: str
    start: int
    end: int
    spans: tuple[Span, ...]

    @property
    def surroundings(self) -> tuple[str, tuple[Span, ...], str]:
        """All that the judgement of a find here rests on, whatever stands further away: the same stretch of text, cut
        into the same characters, between the same neighbours."""
        first, last = self.spans[0][0], self.spans[-1][1]
        before, after = _reach(self.text, first, last)
        spans = tuple([(start - before, end - before) for start, end in self.spans])
        return self.text[before:after], spans, self.read[max(self.start - 1, 0) : self.end + 1]

    @property
    def key(self) -> str:
        return self.read[self.start : self.end]

    @property
    def written(self) -> str:
        return fold(self.text[self.spans[0][0] : self.spans[-1][1]])


def spelt(word: Word, expected: Stream, place: Place) -> Stream | None:
    """Return the stream of a find in the layer of `expected`, or None if the word does not stand there on its own."""
    stream = _stream(word, expected, place)
    if stream is None or _only_meets_across_clauses(place):
        return None
    if not _stands_alone(place.key, *_neighbours(place)):
        return None
    between_letters = place.read[place.start - 1 : place.start], place.read[place.end : place.end + 1]
    if stream not in (Stream.FOLDED, Stream.LOOKALIKE) and not _stands_alone(place.key, *between_letters):
        return None
    if stream is Stream.LATIN and not _is_typed_for_itself(word, place):
        return None
    return stream


def _stream(word: Word, expected: Stream, place: Place) -> Stream | None:
    written, own, key = place.written, fold(word.text), strip(word.text)
    if expected is Stream.STRIPPED:
        if written == own:
            return Stream.FOLDED
        if own != key and len(key) < _SHORTEST_WITHOUT_SYMBOLS:
            return None  # t.me is no word without its symbol
        return Stream.FOLDED if written == key else Stream.STRIPPED
    stripped = strip(written)
    if expected in (Stream.PINYIN, Stream.LATIN):
        return _sounded(expected, stripped, key)
    if expected is Stream.LOOKALIKE and set(stripped) == set(key):
        return Stream.REPEATED if len(stripped) >= len(key) else None  # 滴我 is not 滴滴我
    return expected


def _sounded(expected: Stream, stripped: str, key: str) -> Stream | None:
    """Tell whether a word found by its sound is typed in Latin letters; if only that may count, nothing else does."""
    letters = sum(map(str.isascii, stripped))
    if letters <= sum(map(str.isascii, key)):
        return Stream.PINYIN if expected is Stream.PINYIN else None
    return Stream.LATIN if letters < len(stripped) or letters >= _SHORTEST_LATIN else None


def _is_typed_for_itself(word: Word, place: Place) -> bool:
    """Tell whether letters that sound like a word are meant as it. Two syllables are too easily part of others: they
    stand alone, and where only one of them is typed, the other is spelt as it is in the word."""
    short = len(place.spans) == _FEW_SYLLABLES
    if (short or len(place.written) < _SURE_LATIN) and not _stands_alone("aa", *_neighbours(place)):
        return False
    own = strip(word.text)
    pieces = [strip(place.text[start:end]) for start, end in place.spans] if short else []
    return all(piece.isascii() or piece in own for piece in pieces)


def _only_meets_across_clauses(place: Place) -> bool:
    if len(place.spans) != 2:
        return False
    gap = [char for char in place.text[place.spans[0][1] : place.spans[1][0]] if FOLDED[ord(char)] is not None]
    return bool(gap) and _CLAUSE_ENDS.issuperset(gap)


def _neighbours(place: Place) -> tuple[str, str]:
    """Return the folded characters just before and after the place in the original, empty at the ends."""
    text, first, last = place.text, place.spans[0][0], place.spans[-1][1]
    before, after = _reach(text, first, last)
    return fold(text[before:first])[-1:], fold(text[last:after])[:1]


def _reach(text: str, first: int, last: int) -> tuple[int, int]:
    """Return where the visible neighbour before `first` begins and the one after `last` ends, if there are any."""
    before, after = first - 1, last
    while before >= 0 and FOLDED[ord(text[before])] is None:
        before -= 1
    while after < len(text) and FOLDED[ord(text[after])] is None:
        after += 1
    return max(before, 0), min(after + 1, len(text))


def _stands_alone(key: str, before: str, after: str) -> bool:
    """A Latin word counts only as a whole (sm, but not in small); so does a lone letter at the edge of a mixed one."""
    latin = key.isascii()
    left = _ends_word(key[0], before) or not (latin or not key[1].isascii())
    return left and (_ends_word(key[-1], after) or not (latin or not key[-2].isascii()))


def _ends_word(edge: str, neighbour: str) -> bool:
    if not (edge.isascii() and neighbour.isascii()):
        return True
    return not neighbour.isalnum() if edge.isdecimal() else not neighbour.isalpha()

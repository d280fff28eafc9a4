"""Verifies one match: does the word really stand there on its own, and how is it written?"""

from dataclasses import dataclass
from typing import Final

from moderation.lexicon.matching.folding import FOLDED, fold_text, strip_text
from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.text_batch import TextSpan
from moderation.lexicon.matching.words import Word

# Clauses meet here: the two characters around it belong together only by accident (请插入口，交给柜员).
_CLAUSE_ENDS: Final = frozenset("，。！？；：、…,!?;:\n\r\t")
_SHORTEST_WITHOUT_SYMBOLS: Final = 4
_SHORTEST_LATIN: Final = 4
# A shorter run of typed syllables is part of some other word unless it stands between other signs.
_SURE_LATIN: Final = 7
_FEW_SYLLABLES: Final = 2


@dataclass(frozen=True, slots=True)
class MatchContext:
    """A pattern at `normalized[start:end]` of a normalized batch; `spans` are where its characters stand in `text`, the
    batch as it is."""

    text: str
    normalized: str
    start: int
    end: int
    spans: tuple[TextSpan, ...]

    @property
    def surroundings(self) -> tuple[str, tuple[TextSpan, ...], str]:
        """All that the verification of a match here rests on, whatever stands further away: the same stretch of text,
        cut into the same characters, between the same ones."""
        first, last = self.spans[0][0], self.spans[-1][1]
        before, after = _find_visible_ends(self.text, first, last)
        spans = tuple([(start - before, end - before) for start, end in self.spans])
        return self.text[before:after], spans, self.normalized[max(self.start - 1, 0) : self.end + 1]

    @property
    def key(self) -> str:
        return self.normalized[self.start : self.end]

    @property
    def written(self) -> str:
        return fold_text(self.text[self.spans[0][0] : self.spans[-1][1]])


def verify_match(word: Word, expected: MatchKind, context: MatchContext) -> MatchKind | None:
    """Return how a word is written where a pattern of the kind `expected` matches.

    None if the word does not stand there on its own.
    """
    match_kind = _classify_match(word, expected, context)
    if match_kind is None or _only_meets_across_clauses(context):
        return None
    if not _stands_alone(context.key, *_adjacent_characters(context)):
        return None
    between_letters = (
        context.normalized[context.start - 1 : context.start],
        context.normalized[context.end : context.end + 1],
    )
    if match_kind not in (MatchKind.FOLDED, MatchKind.LOOKALIKE) and not _stands_alone(context.key, *between_letters):
        return None
    if match_kind is MatchKind.LATIN and not _is_typed_for_itself(word, context):
        return None
    return match_kind


def _classify_match(word: Word, expected: MatchKind, context: MatchContext) -> MatchKind | None:
    written, own, key = context.written, fold_text(word.text), strip_text(word.text)
    if expected is MatchKind.STRIPPED:
        if written == own:
            return MatchKind.FOLDED
        if own != key and len(key) < _SHORTEST_WITHOUT_SYMBOLS:
            return None  # t.me is no word without its symbol
        return MatchKind.FOLDED if written == key else MatchKind.STRIPPED
    stripped = strip_text(written)
    if expected in (MatchKind.PINYIN, MatchKind.LATIN):
        return _classify_pinyin(expected, stripped, key)
    if expected is MatchKind.LOOKALIKE and set(stripped) == set(key):
        return MatchKind.REPEATED if len(stripped) >= len(key) else None  # 滴我 is not 滴滴我
    return expected


def _classify_pinyin(expected: MatchKind, stripped: str, key: str) -> MatchKind | None:
    """Tell whether a word found by its sound is typed in Latin letters; if only that may count, nothing else does."""
    letters = sum(map(str.isascii, stripped))
    if letters <= sum(map(str.isascii, key)):
        return MatchKind.PINYIN if expected is MatchKind.PINYIN else None
    return MatchKind.LATIN if letters < len(stripped) or letters >= _SHORTEST_LATIN else None


def _is_typed_for_itself(word: Word, context: MatchContext) -> bool:
    """Tell whether letters that sound like a word are meant as it. Two syllables are too easily part of others: they
    stand alone, and where only one of them is typed, the other is spelt as it is in the word."""
    short = len(context.spans) == _FEW_SYLLABLES
    if (short or len(context.written) < _SURE_LATIN) and not _stands_alone("aa", *_adjacent_characters(context)):
        return False
    own = strip_text(word.text)
    syllables = [strip_text(context.text[start:end]) for start, end in context.spans] if short else []
    return all(syllable.isascii() or syllable in own for syllable in syllables)


def _only_meets_across_clauses(context: MatchContext) -> bool:
    if len(context.spans) != 2:
        return False
    gap = [char for char in context.text[context.spans[0][1] : context.spans[1][0]] if FOLDED[ord(char)] is not None]
    return bool(gap) and _CLAUSE_ENDS.issuperset(gap)


def _adjacent_characters(context: MatchContext) -> tuple[str, str]:
    """Return the folded characters just before and after the place in the original, empty at the ends."""
    text, first, last = context.text, context.spans[0][0], context.spans[-1][1]
    before, after = _find_visible_ends(text, first, last)
    return fold_text(text[before:first])[-1:], fold_text(text[last:after])[:1]


def _find_visible_ends(text: str, first: int, last: int) -> tuple[int, int]:
    """Return where the visible character before `first` begins and the one after `last` ends, if there are any."""
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


def _ends_word(edge: str, adjacent: str) -> bool:
    if not (edge.isascii() and adjacent.isascii()):
        return True
    return not adjacent.isalnum() if edge.isdecimal() else not adjacent.isalpha()

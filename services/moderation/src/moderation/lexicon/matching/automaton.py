"""The automaton of one normal form: the patterns of all words in it, and what each of them means."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from daachorse import CharwiseDoubleArrayAhoCorasick as Automaton

from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.normal_forms import NormalForm
from moderation.lexicon.matching.text_batch import NormalizedText, TextBatch

NO_WORD: Final = -1
_MATCH_KINDS: Final = tuple(MatchKind)
MATCH_KIND_CODES: Final = {match_kind: code for code, match_kind in enumerate(_MATCH_KINDS)}

# Start, end, number of the pattern; offsets into the normalized batch.
PatternMatch = tuple[int, int, int]
# A word of the lexicon by its number, and how it is written where the pattern matches.
WordMeaning = tuple[int, MatchKind]
# Three columns, in the order of the first: a phrase's pattern, and a word that it excuses at an offset.
Excuses = tuple["array[int]", "array[int]", "array[int]"]
PackedAutomaton = tuple[bytes, "array[int]", bytes, Mapping[int, tuple[WordMeaning, ...]], Excuses]


@dataclass(frozen=True, slots=True)
class PatternAutomaton:
    """The patterns of a lexicon in one normal form, compiled.

    Nearly every pattern is one word, so the rest has tables of its own: with an object per pattern, 60,000 words would
    take 100 MB.
    """

    normal_form: NormalForm
    automaton: Automaton
    first_words: "array[int]"
    first_match_kinds: bytes
    further_meanings: Mapping[int, tuple[WordMeaning, ...]]
    excuses: Excuses

    def pack(self) -> PackedAutomaton:
        """Return what is to be sent to another process: all but the normal form."""
        return self.automaton.serialize(), self.first_words, self.first_match_kinds, self.further_meanings, self.excuses

    @classmethod
    def unpack(cls, normal_form: NormalForm, packed: PackedAutomaton) -> Self:
        """Return the automaton that was packed; it must come from a process of ours."""
        automaton, words, match_kinds, further_meanings, excuses = packed
        return cls(normal_form, Automaton.deserialize(automaton), words, match_kinds, further_meanings, excuses)

    def list_meanings(self, pattern: int) -> tuple[WordMeaning, ...]:
        """Return the words that a found pattern is."""
        word = self.first_words[pattern]
        if word == NO_WORD:
            return ()
        first = (word, _MATCH_KINDS[self.first_match_kinds[pattern]])
        return (first, *self.further_meanings[pattern]) if pattern in self.further_meanings else (first,)

    def find_matches(self, batch: TextBatch) -> tuple[NormalizedText, dict[int, list[PatternMatch]]]:
        """Return the normalized batch, and the matches in it by the index of the text."""
        normalized = batch.normalize(self.normal_form.normalize)
        grouped: dict[int, list[PatternMatch]] = {}
        for match in self.automaton.find_overlapping(normalized.text):
            grouped.setdefault(normalized.text_at(match[0]), []).append(match)
        return normalized, grouped

    def list_excused(self, matches: Sequence[PatternMatch]) -> set[tuple[int, int]]:
        """Return (word, start) of what the phrases among the matches excuse."""
        phrases, words, offsets = self.excuses
        excused: set[tuple[int, int]] = set()
        rows: dict[int, range] = {}
        for start, _, pattern in matches:
            if pattern not in rows:
                rows[pattern] = range(bisect_left(phrases, pattern), bisect_right(phrases, pattern))
            for at in rows[pattern]:
                excused.add((words[at], start + offsets[at]))
        return excused

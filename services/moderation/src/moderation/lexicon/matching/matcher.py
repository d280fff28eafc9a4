"""Finds the words of a lexicon in a batch of texts: one pass for the batch, work per text only where one hit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from typing import Final, Self

from moderation.lexicon.matching.automaton import PatternAutomaton, PatternMatch, WordMeaning
from moderation.lexicon.matching.bidi import RIGHT_TO_LEFT_OVERRIDE, list_visual_order
from moderation.lexicon.matching.compilation import compile_automata
from moderation.lexicon.matching.folding import INVISIBLE, strip_text
from moderation.lexicon.matching.match_kinds import MatchKind
from moderation.lexicon.matching.text_batch import NormalizedText, TextBatch
from moderation.lexicon.matching.verification import MatchContext, verify_match
from moderation.lexicon.matching.words import Word

EVERY_POLICY: Final = -1
"""The mask with every bit set."""

# A text of 100,000 times the same bad word is judged by its first hits; the rest would cost time and change nothing.
MAX_HITS: Final = 64
_ACCIDENTAL: Final = 2
_FEW: Final = 16

Meanings = tuple[WordMeaning, ...]


@dataclass(frozen=True, slots=True)
class LexiconHit:
    """`word` stands in `text[start:end]` of the original text, written as `match_kind` says."""

    word: Word
    match_kind: MatchKind
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
        return self.match_kind.confidence


class Lexicon:
    """Words compiled for matching. Immutable: a new version is a new object, and taking it into use an assignment."""

    def __init__(
        self,
        words: Sequence[Word],
        masks: Sequence[int] | None = None,
        fuzzy: int = 0,
        background: Sequence[str] = (),
        automata: Sequence[PatternAutomaton] | None = None,
    ) -> None:
        """Compile `words`; `masks[i]` has a bit for each policy that uses `words[i]`; without, every policy does.

        `fuzzy` has a bit for each policy that also wants what is not spelt exactly. Fuzzy patterns that hit a text of
        the benign `background` are left out. `automata` are what `compile_automata` made of the same words.
        """
        self.words = tuple(words)
        self._masks = tuple(masks) if masks is not None else (EVERY_POLICY,) * len(self.words)
        if len(self._masks) != len(self.words):
            raise ValueError("as many masks as words are needed")
        self._fuzzy = fuzzy
        if automata is None:
            automata = compile_automata(self.words, background, fuzzy=bool(fuzzy))
        self._plain, *self._fuzzy_automata = automata

    @classmethod
    def empty(cls) -> Self:
        """Return a lexicon that finds nothing."""
        return cls(())

    def scan_texts(
        self, texts: Sequence[str], masks: Sequence[int] | None = None, on: date | None = None
    ) -> list[tuple[LexiconHit, ...]]:
        """Return the hits of each text, ordered by position.

        `masks[i]` are the bits of the policies that `texts[i]` is judged by. Words not valid `on` that day are left
        out; without a day, validity is not looked at.
        """
        return self._scan(texts, masks, on, self._choose_automata(masks))

    def scan_message_windows(
        self, windows: Sequence[Sequence[str]], masks: Sequence[int] | None = None, on: date | None = None
    ) -> list[tuple[LexiconHit, ...]]:
        """Return for each window, the last texts of one member with the newest at the end, the words that begin in an
        earlier text and end in the newest; spans are the part in the newest. Only exact spelling counts here."""
        found = self._scan(["".join(window) for window in windows], masks, on, [(self._plain, EVERY_POLICY)])
        return [_keep_crossing(window, hits) if hits else () for window, hits in zip(windows, found, strict=True)]

    def _scan(
        self,
        texts: Sequence[str],
        masks: Sequence[int] | None,
        on: date | None,
        automata: Sequence[tuple[PatternAutomaton, int]],
    ) -> list[tuple[LexiconHit, ...]]:
        if not texts or not self.words:
            return [()] * len(texts)
        batch = TextBatch(texts)
        if RIGHT_TO_LEFT_OVERRIDE in batch.joined:
            return self._scan_visual_order(texts, masks, on, automata)
        hits: dict[int, list[LexiconHit]] = {}
        for automaton, automaton_mask in automata:
            normalized, found = automaton.find_matches(batch)
            lookups: dict[int, Callable[[int], Meanings]] = {}
            for index, matches in found.items():
                mask = automaton_mask & (EVERY_POLICY if masks is None else masks[index])
                if mask not in lookups:
                    lookups[mask] = self._make_lookup(automaton, mask, on)
                candidates = self._list_candidates(automaton, normalized, matches, lookups[mask]) if mask else []
                if index in hits:  # a word that stands there for certain need not be guessed as well
                    known = {hit.word.id for hit in hits[index]}
                    candidates = [found for found in candidates if self.words[found[0]].id not in known]
                if candidates:
                    hits.setdefault(index, []).extend(self._locate_hits(batch, index, normalized, candidates))
        return [drop_contained_hits(hits[index]) if index in hits else () for index in range(len(texts))]

    def _scan_visual_order(
        self,
        texts: Sequence[str],
        masks: Sequence[int] | None,
        on: date | None,
        automata: Sequence[tuple[PatternAutomaton, int]],
    ) -> list[tuple[LexiconHit, ...]]:
        """Scan what a reader sees, where that is in another order than it is written."""
        orders = list(map(list_visual_order, texts))
        shown = [
            "".join([text[at] for at in order]).replace(RIGHT_TO_LEFT_OVERRIDE, INVISIBLE)
            for text, order in zip(texts, orders, strict=True)
        ]
        found = self._scan(shown, masks, on, automata)
        return [tuple(_restore_order(hit, order) for hit in hits) for hits, order in zip(found, orders, strict=True)]

    def _choose_automata(self, masks: Sequence[int] | None) -> list[tuple[PatternAutomaton, int]]:
        """Return the automata that any of the policies wants, each with the mask of the policies that do."""
        automata = [(self._plain, EVERY_POLICY)]
        if self._fuzzy and (masks is None or any(mask & self._fuzzy for mask in masks)):
            automata.extend((automaton, self._fuzzy) for automaton in self._fuzzy_automata)
        return automata

    def _make_lookup(self, automaton: PatternAutomaton, mask: int, on: date | None) -> Callable[[int], Meanings]:
        """Return what tells the words that a pattern is, of those that the policy uses and that are valid; each pattern
        is looked up once, since a batch may have it a thousand times."""

        @cache
        def list_meanings(pattern: int) -> Meanings:
            return tuple(
                [
                    (word, match_kind)
                    for word, match_kind in automaton.list_meanings(pattern)
                    if self._masks[word] & mask and (on is None or self.words[word].is_valid_on(on))
                ]
            )

        return list_meanings

    def _list_candidates(
        self,
        automaton: PatternAutomaton,
        normalized: NormalizedText,
        matches: list[PatternMatch],
        list_meanings: Callable[[int], Meanings],
    ) -> list[tuple[int, MatchKind, int, int]]:
        """Return word, match kind, start, end of the matches that mean something, are not excused, and are typed in
        Latin letters where nothing else counts."""
        candidates = [
            (word, match_kind, start, end)
            for start, end, pattern in matches
            for word, match_kind in list_meanings(pattern)
            if match_kind is not MatchKind.LATIN or normalized.is_typed(start, end)
        ]
        excused = automaton.list_excused(matches) if candidates else ()
        if not excused:
            return candidates
        return [candidate for candidate in candidates if (candidate[0], candidate[2]) not in excused]

    def _locate_hits(
        self,
        batch: TextBatch,
        index: int,
        normalized: NormalizedText,
        candidates: list[tuple[int, MatchKind, int, int]],
    ) -> list[LexiconHit]:
        shift = batch.start_of(index)
        hits: list[LexiconHit] = []
        # In a text that repeats itself, so do the matches: each is verified once, by its word and what surrounds it.
        # That includes the pattern that was found, which stands for a word in one way only.
        repeats = len(candidates) > _FEW
        verified: dict[tuple[int, object], MatchKind | None] = {}
        context: MatchContext | None = None
        surroundings: object = None
        for word_index, expected, start, end in candidates:
            word = self.words[word_index]
            if context is None or context.start != start or context.end != end:
                context = MatchContext(batch.joined, normalized.text, start, end, normalized.spans(start, end))
                surroundings = context.surroundings if repeats else (start, end)
            match = word_index, surroundings
            if match not in verified:
                verified[match] = verify_match(word, expected, context)
            match_kind = verified[match]
            if match_kind is not None:
                hits.append(LexiconHit(word, match_kind, context.spans[0][0] - shift, context.spans[-1][1] - shift))
                if len(hits) == MAX_HITS:
                    break
        return hits


def _restore_order(hit: LexiconHit, order: Sequence[int]) -> LexiconHit:
    offsets = order[hit.start : hit.end]
    return LexiconHit(hit.word, hit.match_kind, min(offsets), max(offsets) + 1)


def _keep_crossing(window: Sequence[str], hits: Sequence[LexiconHit]) -> tuple[LexiconHit, ...]:
    """Keep what crosses into the newest text; of two characters, only what takes up one whole message, because the end
    of one message and the beginning of the next meet by accident."""
    edges = list(accumulate(map(len, window), initial=0))
    newest = edges[-2] if len(edges) > 1 else 0
    kept = []
    for hit in hits:
        whole = any(
            hit.start <= first and last <= hit.end and strip_text(text)
            for first, last, text in zip(edges, edges[1:], window, strict=False)
        )
        if hit.start < newest < hit.end and (whole or len(strip_text(hit.word.text)) > _ACCIDENTAL):
            kept.append(LexiconHit(hit.word, MatchKind.ACROSS, 0, hit.end - newest))
    return tuple(kept)


def drop_contained_hits(hits: Sequence[LexiconHit]) -> tuple[LexiconHit, ...]:
    """Order by position and drop what a hit around it already says: longer, of the same category, and no milder; or
    exact, where the one inside is a guess."""
    kept: list[LexiconHit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, -hit.confidence, hit.word.id)):
        if not any(_covers(other, hit) for other in kept):
            kept.append(hit)
    return tuple(kept)


def _covers(outer: LexiconHit, inner: LexiconHit) -> bool:
    if not (outer.start <= inner.start and inner.end <= outer.end):
        return False
    if inner.match_kind.is_exact and not outer.match_kind.is_exact:
        return False  # a guess, however long, does not silence what is spelt out
    if outer.word is inner.word:
        return True
    surer = outer.match_kind.is_exact and not inner.match_kind.is_exact
    no_milder = outer.severity >= inner.severity and (
        outer.word.text != inner.word.text or not inner.match_kind.is_exact
    )
    return outer.category == inner.category and (surer or no_milder)

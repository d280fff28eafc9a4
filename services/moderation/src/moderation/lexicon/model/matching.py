"""Finds the words of a lexicon in a batch of texts: one pass for the batch, work per text only where one hit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from typing import Final, Self

from moderation.lexicon.model.batches import Batch, Read
from moderation.lexicon.model.directions import OVERRIDE, order_shown
from moderation.lexicon.model.folding import INVISIBLE, strip
from moderation.lexicon.model.keys import compile_layers
from moderation.lexicon.model.layers import Find, Layer, Meaning
from moderation.lexicon.model.spelling import Place, spelt
from moderation.lexicon.model.streams import Stream
from moderation.lexicon.model.words import Word

EVERY_POLICY: Final = -1
"""The mask with every bit set."""

# A text of 100,000 times the same bad word is judged by its first hits; the rest would cost time and change nothing.
MAX_HITS: Final = 64
_ACCIDENTAL: Final = 2
_FEW: Final = 16

Meanings = tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """`word` stands in `text[start:end]` of the original text, written as `stream` says."""

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
        return self.stream.confidence


class Lexicon:
    """Words compiled for matching. Immutable: a new version is a new object, and taking it into use an assignment."""

    def __init__(
        self,
        words: Sequence[Word],
        masks: Sequence[int] | None = None,
        fuzzy: int = 0,
        background: Sequence[str] = (),
        layers: Sequence[Layer] | None = None,
    ) -> None:
        """Compile `words`; `masks[i]` has a bit for each policy that uses `words[i]`; without, every policy does.

        `fuzzy` has a bit for each policy that also wants the fuzzy streams. Fuzzy keys that hit a text of the benign
        `background` are left out. `layers` are what `compile_layers` made of the same words.
        """
        self.words = tuple(words)
        self._masks = tuple(masks) if masks is not None else (EVERY_POLICY,) * len(self.words)
        if len(self._masks) != len(self.words):
            raise ValueError("as many masks as words are needed")
        self._fuzzy = fuzzy
        if layers is None:
            layers = compile_layers(self.words, background, fuzzy=bool(fuzzy))
        self._plain, *self._fuzzy_layers = layers

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
        return self._scan(texts, masks, on, self._layers(masks))

    def scan_across(
        self, windows: Sequence[Sequence[str]], masks: Sequence[int] | None = None, on: date | None = None
    ) -> list[tuple[Hit, ...]]:
        """Return for each window, the last texts of one member with the newest at the end, the words that begin in an
        earlier text and end in the newest; spans are the part in the newest. Only exact spelling counts here."""
        found = self._scan(["".join(window) for window in windows], masks, on, [(self._plain, EVERY_POLICY)])
        return [_crossing(window, hits) if hits else () for window, hits in zip(windows, found, strict=True)]

    def _scan(
        self,
        texts: Sequence[str],
        masks: Sequence[int] | None,
        on: date | None,
        layers: Sequence[tuple[Layer, int]],
    ) -> list[tuple[Hit, ...]]:
        if not texts or not self.words:
            return [()] * len(texts)
        batch = Batch(texts)
        if OVERRIDE in batch.joined:
            return self._scan_as_shown(texts, masks, on, layers)
        hits: dict[int, list[Hit]] = {}
        for layer, layer_mask in layers:
            read, found = layer.find(batch)
            lookups: dict[int, Callable[[int], Meanings]] = {}
            for index, finds in found.items():
                mask = layer_mask & (EVERY_POLICY if masks is None else masks[index])
                if mask not in lookups:
                    lookups[mask] = self._lookup(layer, mask, on)
                candidates = self._candidates(layer, read, finds, lookups[mask]) if mask else []
                if index in hits:  # a word that stands there for certain need not be guessed as well
                    known = {hit.word.id for hit in hits[index]}
                    candidates = [found for found in candidates if self.words[found[0]].id not in known]
                if candidates:
                    hits.setdefault(index, []).extend(self._locate(batch, index, read, candidates))
        return [without_contained(hits[index]) if index in hits else () for index in range(len(texts))]

    def _scan_as_shown(
        self,
        texts: Sequence[str],
        masks: Sequence[int] | None,
        on: date | None,
        layers: Sequence[tuple[Layer, int]],
    ) -> list[tuple[Hit, ...]]:
        """Scan what a reader sees, where that is in another order than it is written."""
        orders = list(map(order_shown, texts))
        shown = [
            "".join([text[at] for at in order]).replace(OVERRIDE, INVISIBLE)
            for text, order in zip(texts, orders, strict=True)
        ]
        found = self._scan(shown, masks, on, layers)
        return [tuple(_where_written(hit, order) for hit in hits) for hits, order in zip(found, orders, strict=True)]

    def _layers(self, masks: Sequence[int] | None) -> list[tuple[Layer, int]]:
        """Return the layers that any of the policies wants, each with the mask of the policies that do."""
        layers = [(self._plain, EVERY_POLICY)]
        if self._fuzzy and (masks is None or any(mask & self._fuzzy for mask in masks)):
            layers.extend((layer, self._fuzzy) for layer in self._fuzzy_layers)
        return layers

    def _lookup(self, layer: Layer, mask: int, on: date | None) -> Callable[[int], Meanings]:
        """Return what tells the words that a pattern is, of those that the policy uses and that are valid; each pattern
        is looked up once, since a batch may have it a thousand times."""

        @cache
        def meanings(pattern: int) -> Meanings:
            return tuple(
                [
                    (word, stream)
                    for word, stream in layer.meanings(pattern)
                    if self._masks[word] & mask and (on is None or self.words[word].valid_on(on))
                ]
            )

        return meanings

    def _candidates(
        self, layer: Layer, read: Read, finds: list[Find], meanings: Callable[[int], Meanings]
    ) -> list[tuple[int, Stream, int, int]]:
        """Return word, stream, start, end of the finds that mean something, are not excused, and are typed in Latin
        letters where nothing else counts."""
        candidates = [
            (word, stream, start, end)
            for start, end, pattern in finds
            for word, stream in meanings(pattern)
            if stream is not Stream.LATIN or read.is_typed(start, end)
        ]
        excused = layer.excused(finds) if candidates else ()
        if not excused:
            return candidates
        return [candidate for candidate in candidates if (candidate[0], candidate[2]) not in excused]

    def _locate(
        self, batch: Batch, index: int, read: Read, candidates: list[tuple[int, Stream, int, int]]
    ) -> list[Hit]:
        shift = batch.start_of(index)
        hits: list[Hit] = []
        # In a text that repeats itself, so do the finds: each is judged once, by its word and what surrounds it. That
        # includes the key that was found, which stands for a word in one stream only.
        repeats = len(candidates) > _FEW
        judged: dict[tuple[int, object], Stream | None] = {}
        place: Place | None = None
        surroundings: object = None
        for word_index, expected, start, end in candidates:
            word = self.words[word_index]
            if place is None or place.start != start or place.end != end:
                place = Place(batch.joined, read.text, start, end, read.spans(start, end))
                surroundings = place.surroundings if repeats else (start, end)
            find = word_index, surroundings
            if find not in judged:
                judged[find] = spelt(word, expected, place)
            stream = judged[find]
            if stream is not None:
                hits.append(Hit(word, stream, place.spans[0][0] - shift, place.spans[-1][1] - shift))
                if len(hits) == MAX_HITS:
                    break
        return hits


def _where_written(hit: Hit, order: Sequence[int]) -> Hit:
    places = order[hit.start : hit.end]
    return Hit(hit.word, hit.stream, min(places), max(places) + 1)


def _crossing(window: Sequence[str], hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Keep what crosses into the newest text; of two characters, only what takes up one whole message, because the end
    of one message and the beginning of the next meet by accident."""
    edges = list(accumulate(map(len, window), initial=0))
    newest = edges[-2] if len(edges) > 1 else 0
    kept = []
    for hit in hits:
        whole = any(
            hit.start <= first and last <= hit.end and strip(text)
            for first, last, text in zip(edges, edges[1:], window, strict=False)
        )
        if hit.start < newest < hit.end and (whole or len(strip(hit.word.text)) > _ACCIDENTAL):
            kept.append(Hit(hit.word, Stream.ACROSS, 0, hit.end - newest))
    return tuple(kept)


def without_contained(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Order by position and drop what a hit around it already says: longer, of the same category, and no milder; or
    exact, where the one inside is a guess."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, -hit.confidence, hit.word.id)):
        if not any(_says(other, hit) for other in kept):
            kept.append(hit)
    return tuple(kept)


def _says(outer: Hit, inner: Hit) -> bool:
    if not (outer.start <= inner.start and inner.end <= outer.end):
        return False
    if inner.stream.is_exact and not outer.stream.is_exact:
        return False  # a guess, however long, does not silence what is spelt out
    if outer.word is inner.word:
        return True
    surer = outer.stream.is_exact and not inner.stream.is_exact
    no_milder = outer.severity >= inner.severity and (outer.word.text != inner.word.text or not inner.stream.is_exact)
    return outer.category == inner.category and (surer or no_milder)

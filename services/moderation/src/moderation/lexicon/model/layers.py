"""One reading's automaton: the keys of all words in it, and which of them are worth having."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import prod
from typing import Final, Self

from daachorse import CharwiseDoubleArrayAhoCorasick as Automaton

from moderation.lexicon.model.batches import Batch, Read
from moderation.lexicon.model.readings import BY_SOUND, PLAIN, Reading
from moderation.lexicon.model.streams import Stream
from moderation.lexicon.model.words import Word

# How often all sound keys together may hit a benign message by chance, judged by how common their syllables are.
_CHANCE_BUDGET: Final = 0.001
_TYPICAL_LENGTH: Final = 15
# About as many as there are: each is given one occurrence beyond those in the background.
_SYLLABLES: Final = 420
_NO_WORD: Final = -1
_STREAMS: Final = tuple(Stream)
_CODES: Final = {stream: code for code, stream in enumerate(_STREAMS)}

# A find: start, end, number of the pattern; offsets into the reading of the batch.
Find = tuple[int, int, int]
# A word of the lexicon by its number, and the stream it was found in.
Meaning = tuple[int, Stream]


@dataclass(frozen=True, slots=True)
class Layer:
    """The keys of a lexicon in one reading, compiled. Nearly every key is one word, so the rest has tables of its own:
    with an object per key, 60,000 words would take 100 MB."""

    reading: Reading
    automaton: Automaton
    first_words: "array[int]"
    first_streams: bytes
    more: Mapping[int, tuple[Meaning, ...]]
    excuses: Mapping[int, tuple[tuple[int, int], ...]]
    """By pattern: (word, offset) of the words that a phrase excuses at that offset."""

    @classmethod
    def compile(cls, reading: Reading, words: Sequence[Word], background: Sequence[str] = ()) -> Self:
        """Compile the keys of `words` in `reading`, without the fuzzy ones that the benign `background` speaks against:
        those that hit it, and of those that sound like anything, all but what is typed in Latin letters."""
        keys = _Keys({}, array("i"), bytearray(), {}, {})
        spellings = keys.add_words(reading, words)
        keys.add_phrases(reading, words, spellings)
        layer = cls(
            reading, Automaton(list(keys.numbers)), keys.first_words, bytes(keys.first_streams), keys.more, keys.excuses
        )
        return layer._pruned(list(keys.numbers), background) if background and reading is not PLAIN else layer

    def meanings(self, pattern: int) -> tuple[Meaning, ...]:
        """Return the words that a found pattern is."""
        word = self.first_words[pattern]
        if word == _NO_WORD:
            return ()
        first = (word, _STREAMS[self.first_streams[pattern]])
        return (first, *self.more[pattern]) if pattern in self.more else (first,)

    def find(self, batch: Batch) -> tuple[Read, dict[int, list[Find]]]:
        """Return the reading of the batch, and the finds in it by the index of the text."""
        read = self.reading.read(batch)
        grouped: dict[int, list[Find]] = {}
        for find in self.automaton.find_overlapping(read.text):
            grouped.setdefault(read.text_at(find[0]), []).append(find)
        return read, grouped

    def excused(self, finds: Sequence[Find]) -> set[tuple[int, int]]:
        """Return (word, start) of what the phrases among the finds excuse."""
        return {
            (word, start + offset)
            for start, _, pattern in finds
            if pattern in self.excuses
            for word, offset in self.excuses[pattern]
        }

    def _pruned(self, keys: Sequence[str], background: Sequence[str]) -> Self:
        read, found = self.find(Batch(background))
        words, streams, more = self.first_words[:], bytearray(self.first_streams), dict(self.more)
        if self.reading is BY_SOUND:
            meant = [pattern for pattern, word in enumerate(words) if word != _NO_WORD]
            chancy = _chancy([keys[pattern] for pattern in meant], read.text)
            for pattern in map(meant.__getitem__, chancy):
                streams[pattern] = _CODES[Stream.LATIN]
                if pattern in more:
                    more[pattern] = tuple((word, Stream.LATIN) for word, _ in more[pattern])
        for finds in found.values():
            excused = self.excused(finds)
            for start, _, pattern in finds:
                if any((word, start) not in excused for word, _ in self.meanings(pattern)):
                    words[pattern] = _NO_WORD
        return replace(self, first_words=words, first_streams=bytes(streams), more=more)


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of a layer while they are collected: their numbers, and by number the fields of `Layer`."""

    numbers: dict[str, int]
    first_words: "array[int]"
    first_streams: bytearray
    more: dict[int, tuple[Meaning, ...]]
    excuses: dict[int, tuple[tuple[int, int], ...]]

    def add_words(self, reading: Reading, words: Sequence[Word]) -> dict[int, dict[str, Stream]]:
        """Add the words; return the spellings of those that have allow-phrases."""
        kept: dict[int, dict[str, Stream]] = {}
        for index, spellings in enumerate(reading.keys([word.text for word in words])):
            if words[index].allow:
                kept[index] = spellings
            for key, stream in spellings.items():
                number = self._number(key)
                if self.first_words[number] == _NO_WORD:
                    self.first_words[number], self.first_streams[number] = index, _CODES[stream]
                else:
                    self.more[number] = (*self.more.get(number, ()), (index, stream))
        return kept

    def add_phrases(self, reading: Reading, words: Sequence[Word], spellings: dict[int, dict[str, Stream]]) -> None:
        """Add the phrases that excuse words."""
        owners = [index for index in spellings for _ in words[index].allow]
        phrases = reading.keys([phrase for index in spellings for phrase in words[index].allow])
        for owner, phrase_spellings in zip(owners, phrases, strict=True):
            for phrase in phrase_spellings:
                excused = [found for key in spellings[owner] for found in self._excused(reading, owner, key, phrase)]
                if excused:
                    number = self._number(phrase)
                    self.excuses[number] = (*self.excuses.get(number, ()), *excused)

    def _excused(self, reading: Reading, owner: int, key: str, phrase: str) -> Iterator[tuple[int, int]]:
        # As written, a phrase excuses its own word. By look or sound, words that are one key share their phrases.
        number = self.numbers[key]
        others = () if reading is PLAIN else self.more.get(number, ())
        sharing = {owner, *(other for other, _ in others), *(() if reading is PLAIN else (self.first_words[number],))}
        for at in _places(key, phrase):
            yield from ((other, at) for other in sorted(sharing))

    def _number(self, key: str) -> int:
        number = self.numbers.setdefault(key, len(self.numbers))
        if number == len(self.first_words):
            self.first_words.append(_NO_WORD)
            self.first_streams.append(0)
        return number


def _places(key: str, phrase: str) -> Iterator[int]:
    at = phrase.find(key)
    while at != -1:
        yield at
        at = phrase.find(key, at + 1)


def _chancy(keys: Sequence[str], background: str) -> list[int]:
    """Return the numbers of the keys beyond the budget, when keys are taken in the order of how unlikely they are."""
    counts = Counter(background)
    total = counts.total() + _SYLLABLES
    share = {char: (count + 1) / total for char, count in counts.items()}
    unseen = 1 / total
    chances = [_TYPICAL_LENGTH * prod([share.get(char, unseen) for char in key]) for key in keys]
    order = sorted(range(len(keys)), key=chances.__getitem__)
    spent = accumulate(chances[at] for at in order)
    return [at for at, so_far in zip(order, spent, strict=True) if so_far > _CHANCE_BUDGET]

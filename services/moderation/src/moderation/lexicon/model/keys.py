"""Compiles the layers of a lexicon: collects the keys of its words, and leaves out those not worth having."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, islice
from math import prod
from typing import Final

from daachorse import CharwiseDoubleArrayAhoCorasick as Automaton

from moderation.lexicon.model.batches import Batch
from moderation.lexicon.model.folding import strip
from moderation.lexicon.model.layers import NO_WORD, STREAM_CODES, Layer, Meaning
from moderation.lexicon.model.readings import BY_SHAPE, BY_SOUND, BY_TYPING, PLAIN, Reading
from moderation.lexicon.model.sounds import spell
from moderation.lexicon.model.streams import Stream
from moderation.lexicon.model.words import Word

# How often all sound keys together may hit a benign message by chance, judged by how common their syllables are.
_CHANCE_BUDGET: Final = 0.001
_TYPICAL_LENGTH: Final = 15
# About as many as there are: each is given one occurrence beyond those in the background.
_SYLLABLES: Final = 420

# Typed, shorter ones count only where they stand alone, so that they hit nothing by accident.
_INSIDE_OTHERS: Final = 3

# The keys of a word, each with the stream that it stands for.
Spellings = Mapping[str, Stream]


def compile_layers(words: Sequence[Word], background: Sequence[str], *, fuzzy: bool) -> list[Layer]:
    """Compile a layer for each reading, or only the plain one unless `fuzzy`; in the order of `READINGS`.

    Fuzzy keys that the benign `background` speaks against are left out: those that hit it, and of those that sound
    like anything, all but what is typed in Latin letters.
    """
    texts = [word.text for word in words]
    layers = [_compile(PLAIN, words, list(PLAIN.keys(texts)))]
    if fuzzy:
        spelt = list(BY_SOUND.keys(texts))
        chancy = _chancy(spelt, BY_SOUND.read(Batch(background)).text) if background else frozenset()
        sounding = [_sounding(spellings, chancy) for spellings in spelt]
        typed = [
            {key: Stream.LATIN for key in spellings if key not in sure}
            for spellings, sure in zip(spelt, sounding, strict=True)
        ]
        layers.append(_harmless(_compile(BY_SHAPE, words, list(BY_SHAPE.keys(texts))), background))
        layers.append(_harmless(_compile(BY_SOUND, words, sounding), background))
        # What is harmless in Han characters is so when it is typed, and then its syllables may be cut differently.
        either_way = [*background, *map(spell, map(strip, background))]
        heard_all = replace(_compile(BY_TYPING, words, typed), reading=BY_SOUND)
        heard = replace(_harmless(heard_all, either_way, least=_INSIDE_OTHERS), reading=BY_TYPING)
        layers.append(_harmless(heard, background))
    return layers


def _sounding(spellings: Spellings, chancy: frozenset[str]) -> Spellings:
    """The keys that count also where nothing is typed; one syllable said over and over does not (怕怕怕)."""
    return {
        key: stream
        for key, stream in spellings.items()
        if stream is Stream.PINYIN and key not in chancy and len(set(key)) > 1
    }


def _compile(reading: Reading, words: Sequence[Word], spellings: Sequence[Spellings]) -> Layer:
    keys = _Keys(reading)
    keys.add_words(spellings)
    keys.add_phrases(words, spellings)
    phrases, excused, offsets = zip(*sorted(keys.excuses), strict=True) if keys.excuses else ((), (), ())
    columns = array("i", phrases), array("i", excused), array("i", offsets)
    return Layer(
        reading, Automaton(list(keys.numbers)), keys.first_words, bytes(keys.first_streams), keys.more, columns
    )


def _harmless(layer: Layer, background: Sequence[str], least: int = 0) -> Layer:
    """The layer without the keys, `least` characters long or longer, that hit the background where no phrase excuses
    them."""
    words = layer.first_words[:]
    _, found = layer.find(Batch(background))
    for finds in found.values():
        excused = layer.excused(finds)
        for start, end, pattern in finds:
            if end - start >= least and any((word, start) not in excused for word, _ in layer.meanings(pattern)):
                words[pattern] = NO_WORD
    return replace(layer, first_words=words)


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of a layer while they are collected: their numbers, and by number the fields of `Layer`; `excuses` are
    its rows."""

    reading: Reading
    numbers: dict[str, int] = field(default_factory=dict)
    first_words: "array[int]" = field(default_factory=lambda: array("i"))
    first_streams: bytearray = field(default_factory=bytearray)
    more: dict[int, tuple[Meaning, ...]] = field(default_factory=dict)
    excuses: list[tuple[int, int, int]] = field(default_factory=list)

    def add_words(self, spellings: Sequence[Spellings]) -> None:
        """Add the keys of each word."""
        for index, keys in enumerate(spellings):
            for key, stream in keys.items():
                number = self._number(key)
                if self.first_words[number] == NO_WORD:
                    self.first_words[number], self.first_streams[number] = index, STREAM_CODES[stream]
                else:
                    self.more[number] = (*self.more.get(number, ()), (index, stream))

    def add_phrases(self, words: Sequence[Word], spellings: Sequence[Spellings]) -> None:
        """Add the phrases that excuse words."""
        owners = [index for index, word in enumerate(words) if word.allow and spellings[index]]
        phrases = self.reading.keys([phrase for owner in owners for phrase in words[owner].allow])
        for owner in owners:
            for phrase_spellings in islice(phrases, len(words[owner].allow)):
                for phrase in phrase_spellings:
                    for key in spellings[owner]:
                        if key in phrase:
                            self._excuse(owner, key, phrase)

    def _excuse(self, owner: int, key: str, phrase: str) -> None:
        # As written, a phrase excuses its own word. By look or sound, words that are one key share their phrases.
        sharing = [owner]
        if self.reading is not PLAIN:
            key_number = self.numbers[key]
            others = (word for word, _ in self.more.get(key_number, ()))
            sharing = sorted({owner, self.first_words[key_number], *others})
        number = self._number(phrase)
        at = phrase.find(key)
        while at != -1:
            self.excuses.extend([(number, word, at) for word in sharing])
            at = phrase.find(key, at + 1)

    def _number(self, key: str) -> int:
        number = self.numbers.setdefault(key, len(self.numbers))
        if number == len(self.first_words):
            self.first_words.append(NO_WORD)
            self.first_streams.append(0)
        return number


def _chancy(heard: Sequence[Spellings], background: str) -> frozenset[str]:
    """Return the keys beyond the budget, when keys are taken in the order of how unlikely they are."""
    counts = Counter(background)
    total = counts.total() + _SYLLABLES
    share = {char: (count + 1) / total for char, count in counts.items()}
    unseen = 1 / total
    keys = list(dict.fromkeys(key for spellings in heard for key in spellings))
    chances = [_TYPICAL_LENGTH * prod([share.get(char, unseen) for char in key]) for key in keys]
    order = sorted(range(len(keys)), key=chances.__getitem__)
    spent = accumulate(chances[at] for at in order)
    return frozenset(keys[at] for at, so_far in zip(order, spent, strict=True) if so_far > _CHANCE_BUDGET)

"""The three readings of a text that are matched: as written, by look, by sound."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from moderation.lexicon.model.batches import Batch, Read
from moderation.lexicon.model.folding import SEPARATOR
from moderation.lexicon.model.shapes import by_shape, split_spellings
from moderation.lexicon.model.sounds import by_sound, by_typing, is_syllable, spell
from moderation.lexicon.model.streams import Stream

_SHORTEST_FUZZY: Final = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a batch, and as which keys each of many words appears in it."""

    read: Callable[[Batch], Read]
    keys: Callable[[Sequence[str]], Iterator[dict[str, Stream]]]


def _parts(read: Read, words: Sequence[str]) -> list[str]:
    """Take a reading apart; of no words there are no parts, although an empty text splits into one."""
    return read.text.split(SEPARATOR) if words else []


def _plain_keys(words: Sequence[str]) -> Iterator[dict[str, Stream]]:
    return ({key: Stream.STRIPPED} if key else {} for key in _parts(Batch(words).stripped, words))


def _shape_keys(words: Sequence[str]) -> Iterator[dict[str, Stream]]:
    batch = Batch(words)
    stripped = _parts(batch.stripped, words)
    # The halves of a single character are a word of their own too often: 女票.
    halves = [split_spellings(word) if len(word) >= _SHORTEST_FUZZY else [] for word in stripped]
    every_half = [half for some in halves for half in some]
    shaped_halves = iter(_parts(by_shape(Batch(every_half)), every_half))
    for word, shaped, some in zip(stripped, _parts(by_shape(batch), words), halves, strict=True):
        # Short Latin words and numbers look like too much else once 8 is b and 0 is o.
        keys = {shaped: Stream.LOOKALIKE} if len(shaped) >= _SHORTEST_FUZZY + word.isascii() else {}
        for _ in some:
            keys.setdefault(next(shaped_halves), Stream.SPLIT)
        yield keys


def _sound_keys(words: Sequence[str]) -> Iterator[dict[str, Stream]]:
    batch = Batch(words)
    stripped = batch.stripped
    sounded = _parts(by_sound(batch), words)
    typed = _parts(by_sound(Batch(spell(stripped.text).split(SEPARATOR))), words)
    return (
        # Typed without spaces, a word may be cut differently: fan gan or fang an.
        {by_type: Stream.LATIN, by_sound: Stream.PINYIN}
        if len(by_sound) >= _SHORTEST_FUZZY and not word.isascii() and any(map(is_syllable, by_sound))
        else {}
        for by_sound, by_type, word in zip(sounded, typed, _parts(stripped, words), strict=True)
    )


PLAIN: Final = Reading(lambda batch: batch.stripped, _plain_keys)
BY_SHAPE: Final = Reading(by_shape, _shape_keys)
BY_SOUND: Final = Reading(by_sound, _sound_keys)
# The same keys, for the words that sound like too much else to be found in other than typed letters.
BY_TYPING: Final = Reading(by_typing, _sound_keys)
READINGS: Final = (PLAIN, BY_SHAPE, BY_SOUND, BY_TYPING)
"""In the order in which they are believed."""

"""The three readings of a text that are matched: as written, by look, by sound."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from moderation.lexicon.model.folding import SEPARATOR, STRIPPED, join, offsets, strip
from moderation.lexicon.model.shapes import SHAPES, shape, split_spellings
from moderation.lexicon.model.sounds import is_syllable, sound, sound_lengths, spell
from moderation.lexicon.model.streams import Stream

Span = tuple[int, int]
_SHORTEST_FUZZY: Final = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a joined batch (given as it is and stripped), how to find the way back in one tame text, and as
    which keys each of many words appears in it."""

    read: Callable[[str, str], str]
    trace: Callable[[str], list[Span]]
    keys: Callable[[Sequence[str]], Iterator[dict[str, Stream]]]


def _plain_spans(text: str) -> list[Span]:
    return [(at, at + 1) for at in offsets(text, STRIPPED)]


def _plain_keys(words: Sequence[str]) -> Iterator[dict[str, Stream]]:
    return ({key: Stream.STRIPPED} if key else {} for key in _parts(join(words).translate(STRIPPED), words))


def _parts(joined: str, words: Sequence[str]) -> list[str]:
    """Take a joined text apart; of no words there are no parts, although an empty text splits into one."""
    return joined.split(SEPARATOR) if words else []


def _shape_spans(text: str) -> list[Span]:
    spans: list[Span] = []
    last = ""
    for char, at in zip(text.translate(SHAPES), offsets(text, SHAPES), strict=True):
        if char == last:
            spans[-1] = (spans[-1][0], at + 1)
        else:
            spans.append((at, at + 1))
        last = char
    return spans


def _shape_keys(words: Sequence[str]) -> Iterator[dict[str, Stream]]:
    joined = join(words)
    return map(_spellings_by_shape, _parts(shape(joined), words), _parts(joined.translate(STRIPPED), words))


def _spellings_by_shape(shaped: str, stripped: str) -> dict[str, Stream]:
    # Short Latin words and numbers look like too much else once 8 is b and 0 is o.
    shortest = _SHORTEST_FUZZY + stripped.isascii()
    keys = {shaped: Stream.LOOKALIKE} if len(shaped) >= shortest else {}
    # The halves of a single character are a word of their own too often: 女票.
    if len(stripped) >= _SHORTEST_FUZZY:
        for halved in split_spellings(stripped):
            keys.setdefault(shape(halved), Stream.SPLIT)
    return keys


def _sound_spans(text: str) -> list[Span]:
    plain = _plain_spans(text)
    spans: list[Span] = []
    at = 0
    for length in sound_lengths(strip(text)):
        spans.append((plain[at][0], plain[at + length - 1][1]))
        at += length
    return spans


def _sound_keys(words: Sequence[str]) -> Iterator[dict[str, Stream]]:
    stripped = join(words).translate(STRIPPED)
    sounded, typed = _parts(sound(stripped), words), _parts(sound(spell(stripped)), words)
    return (
        # Typed without spaces, a word may be cut differently: fan gan or fang an.
        {by_type: Stream.LATIN, by_sound: Stream.PINYIN}
        if len(by_sound) >= _SHORTEST_FUZZY and not word.isascii() and any(map(is_syllable, by_sound))
        else {}
        for by_sound, by_type, word in zip(sounded, typed, _parts(stripped, words), strict=True)
    )


PLAIN: Final = Reading(lambda _, stripped: stripped, _plain_spans, _plain_keys)
BY_SHAPE: Final = Reading(lambda joined, _: shape(joined), _shape_spans, _shape_keys)
BY_SOUND: Final = Reading(lambda _, stripped: sound(stripped), _sound_spans, _sound_keys)

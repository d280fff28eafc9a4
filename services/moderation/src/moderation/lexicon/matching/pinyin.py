"""Normalizes a text to how it sounds: a Han character, or a syllable in Latin letters, becomes one code point."""

import os
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moderation.lexicon.matching.folding_tables import TABLE_SIZE
from moderation.lexicon.matching.text_batch import (
    CodePoints,
    CodePointTable,
    NormalizedText,
    Offsets,
    Origins,
    TextBatch,
    encode_code_points,
)

_FIRST_SYLLABLE: Final = 0xE000
"""Syllables live in the private-use area: folding lets nothing from there into a text, so none can be forged."""

# Halves of characters are not read aloud; 话 taken apart into 讠舌 must not sound like two words.
_UNREAD: Final = frozenset(map(ord, "亻彳冫氵忄讠钅饣纟衤礻犭扌艹阝辶刂灬宀冖疒囗攵"))


def _first_readings() -> dict[int, str]:
    """Return the most usual reading of each Han character, without tone; ü is written v, as on a keyboard."""
    # Read by the library when it is imported: leaves out 47,000 phrases (43 MB) that single characters do not need.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin.constants import PINYIN_DICT  # noqa: PLC0415 - must come after the setting above

    codes = [code for code in PINYIN_DICT if code < TABLE_SIZE and code not in _UNREAD]
    lines = "\n".join(PINYIN_DICT[code].split(",")[0] for code in codes)
    marked = unicodedata.normalize("NFD", lines).replace("u\u0308", "v")
    plain = marked.translate({ord(char): None for char in set(marked) if unicodedata.category(char) == "Mn"})
    return dict(zip(codes, plain.split("\n"), strict=True))


_READINGS: Final = _first_readings()
_SYMBOLS: Final = {
    syllable: chr(_FIRST_SYLLABLE + index) for index, syllable in enumerate(sorted(set(_READINGS.values())))
}
# As they are typed. A single letter is no syllable here: 大e了 is spelling, not sound.
SYLLABLES: Final = {text: symbol for text, symbol in _SYMBOLS.items() if len(text) > 1 and set(text) & set("aeiouv")}


def _longest_first(syllables: list[str]) -> str:
    """Return a pattern for the longest of `syllables`, as a tree of letters so that no branch is tried in vain."""
    branches: dict[str, list[str]] = {}
    for syllable in syllables:
        if syllable:
            branches.setdefault(syllable[0], []).append(syllable[1:])
    if not branches:
        return ""
    tree = "|".join(letter + _longest_first(rest) for letter, rest in sorted(branches.items()))
    return f"(?:{tree})?" if "" in syllables else f"(?:{tree})"


_SYLLABLE: Final = re.compile(_longest_first(list(SYLLABLES)))


_SOUNDS: Final = CodePointTable.identity().with_changes(
    {code: ord(_SYMBOLS[syllable]) for code, syllable in _READINGS.items()}
)


def normalize_pinyin(batch: TextBatch) -> NormalizedText:
    """Return how the texts sound: 加微信, 家伟新 and jiaweixin are one string of three syllables."""
    codes, origins = _SOUNDS.replace(batch.stripped.codes), batch.stripped.origins
    typed = _typed_syllables(codes)
    if typed is None:
        return NormalizedText(codes, origins)
    starts, ends = typed.starts, typed.starts + typed.lengths
    codes[starts] = typed.symbols
    first, last = ~_between(starts + 1, ends, len(codes)), ~_between(starts, ends - 1, len(codes))

    def of_syllables() -> Origins:
        begin, end = origins()
        return begin[first], end[last]

    places = starts - np.cumsum(typed.lengths - 1) + typed.lengths - 1
    return NormalizedText(codes[first], of_syllables, places.tolist())


def _between(starts: Offsets, ends: Offsets, count: int) -> NDArray[np.bool_]:
    """Tell of each of `count` places whether it lies in one of the spans, which do not overlap."""
    steps = np.zeros(count + 1, np.int8)
    np.add.at(steps, starts, 1)
    np.add.at(steps, ends, -1)
    return np.cumsum(steps[:-1], dtype=np.int8) > 0


def normalize_typed_pinyin(batch: TextBatch) -> NormalizedText:
    """Return how those texts sound in which syllables are typed; the others are left empty."""
    heard = batch.normalize(normalize_pinyin)
    if not heard.typed:
        return NormalizedText(heard.codes[:0], heard.origins)
    separators = heard.codes == 0
    indexes = np.cumsum(separators)
    of_interest = np.zeros(int(indexes[-1]) + 1, np.bool_)
    of_interest[indexes[heard.typed]] = True
    kept = of_interest[indexes] | separators

    def of_kept() -> Origins:
        starts, ends = heard.origins()
        return starts[kept], ends[kept]

    places = np.cumsum(kept)[heard.typed] - 1
    return NormalizedText(heard.codes[kept], of_kept, places.tolist())


@dataclass(frozen=True, slots=True)
class _Typed:
    """Syllables typed in Latin letters: where they begin, how many letters they have, and what they are read as."""

    starts: Offsets
    lengths: Offsets
    symbols: CodePoints


def _typed_syllables(codes: CodePoints) -> _Typed | None:
    """Return the syllables typed in Latin letters, if there are any."""
    letters = (codes >= ord("a")) & (codes <= ord("z"))
    if not letters.any():
        return None
    # Of one byte each and with blanks between them, they are found in no time.
    latin = np.where(letters, codes, ord(" ")).astype(np.uint8).tobytes().decode("ascii")
    found = [(match.start(), match[0]) for match in _SYLLABLE.finditer(latin)]
    if not found:
        return None
    starts, texts = zip(*found, strict=True)
    symbols = encode_code_points("".join([SYLLABLES[text] for text in texts]))
    return _Typed(np.array(starts), np.array(list(map(len, texts))), symbols)


def spell_pinyin(stripped: str) -> str:
    """Return stripped text in Latin letters, as it would be typed: 加v信 becomes jiavxin."""
    return stripped.translate(_READINGS)


def is_pinyin_syllable(char: str) -> bool:
    """Tell whether a character of a sounded text is a syllable."""
    return _FIRST_SYLLABLE <= ord(char) < _FIRST_SYLLABLE + len(_SYMBOLS)

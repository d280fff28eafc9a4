"""Reads a text by sound: each Han character, and each syllable typed in Latin letters, becomes one code point."""

import os
import re
import unicodedata
from typing import Final

from moderation.lexicon.model.folding import TABLE_SIZE, Table

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
    plain = "".join(char for char in marked if unicodedata.category(char) != "Mn")
    return dict(zip(codes, plain.split("\n"), strict=True))


_READINGS: Final = _first_readings()
_SYMBOLS: Final = {
    syllable: chr(_FIRST_SYLLABLE + index) for index, syllable in enumerate(sorted(set(_READINGS.values())))
}
# A single letter is no syllable here: 大e了 is spelling, not sound.
_TYPED: Final = {text: symbol for text, symbol in _SYMBOLS.items() if len(text) > 1 and set(text) & set("aeiouv")}


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


_SYLLABLE: Final = re.compile(_longest_first(list(_TYPED)))


def _sound_table() -> Table:
    table: Table = list(range(TABLE_SIZE))
    for code, syllable in _READINGS.items():
        table[code] = ord(_SYMBOLS[syllable])
    return table


_SOUNDS: Final = _sound_table()


def sound(stripped: str) -> str:
    """Return how stripped text sounds: 加微信, 家伟新 and jiaweixin are one string of three syllables."""
    return _SYLLABLE.sub(_typed, stripped.translate(_SOUNDS))


def sound_lengths(stripped: str) -> list[int]:
    """Return for each character of `sound(stripped)` how many characters of `stripped` it stands for."""
    lengths: list[int] = []
    at = 0
    for syllable in _SYLLABLE.finditer(stripped):
        lengths.extend([1] * (syllable.start() - at))
        lengths.append(len(syllable[0]))
        at = syllable.end()
    lengths.extend([1] * (len(stripped) - at))
    return lengths


def spell(stripped: str) -> str:
    """Return stripped text in Latin letters, as it would be typed: 加v信 becomes jiavxin."""
    return stripped.translate(_READINGS)


def is_syllable(char: str) -> bool:
    """Tell whether a character of a sounded text is a syllable."""
    return _FIRST_SYLLABLE <= ord(char) < _FIRST_SYLLABLE + len(_SYMBOLS)


def _typed(syllable: re.Match[str]) -> str:
    return _TYPED[syllable[0]]

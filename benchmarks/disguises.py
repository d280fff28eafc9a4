"""The disguises that evaders put on words: each takes a text, how much of it to change, and chance."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import opencc

from moderation.lexicon.matching.lookalikes import list_lookalikes, list_split_spellings
from moderation.lexicon.matching.pinyin import spell_pinyin

Disguise = Callable[[str, float, random.Random], str]


@dataclass(frozen=True, slots=True)
class DisguiseTarget:
    """A disguise, and the shares of disguised words and of equally disguised benign texts that may be found."""

    disguise: Disguise
    recall: float
    wrong: float


_SYMBOLS: Final = "*·-_.~|/#^★☆◆●"
_EMOJI: Final = "🙂😀🌹👍🎉✨🔥😊"
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"
_MARKS: Final = "\u0301\u0336\u0338\u20dd\u0489"
_DIRECTIONS: Final = "\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
_OVERRIDE, _END_OF_OVERRIDE = "\u202e", "\u202c"
_TRADITIONAL: Final = opencc.OpenCC("s2t")
# Where the bold, italic, script, Fraktur, double-struck, sans-serif and monospace letters begin.
_MATHEMATICAL: Final = (0x1D400, 0x1D434, 0x1D4D0, 0x1D56C, 0x1D538, 0x1D5A0, 0x1D670)
_FLAGS: Final = 0x1F1E6
# Letters of other alphabets that look the same.
_FOREIGN: Final = {
    **dict(zip("acdeghijkmopqstuvwxy", "асԁеɡһіјкморԛѕтυνѡху", strict=True)),
    "b": "вЬ",
    "n": "пո",
    "r": "г",
    "l": "ӏ",
    "o": "оο",
    "v": "νѵ",
    "t": "тτ",
    "x": "хχ",
    "k": "кκ",
    "p": "рρ",
}


def _chosen(count: int, strength: float, chance: random.Random) -> set[int]:
    return set(chance.sample(range(count), max(1, round(count * strength)))) if count else set()


def _between(choices: str) -> Disguise:
    def insert(text: str, strength: float, chance: random.Random) -> str:
        gaps = _chosen(len(text) - 1, strength, chance)
        return "".join(char + (chance.choice(choices) if at in gaps else "") for at, char in enumerate(text))

    return insert


def _each(change: Callable[[str, random.Random], str]) -> Disguise:
    def replace(text: str, strength: float, chance: random.Random) -> str:
        open_to_change = [at for at, char in enumerate(text) if change(char, chance) != char]
        chosen = {open_to_change[index] for index in _chosen(len(open_to_change), strength, chance)}
        return "".join(change(char, chance) if at in chosen else char for at, char in enumerate(text))

    return replace


def _overridden(text: str, strength: float, chance: random.Random) -> str:
    """Turn a part of the text around and let it be shown the other way round, so that a reader sees nothing of it."""
    length = max(2, round(len(text) * strength))
    start = chance.randrange(max(1, len(text) - length + 1))
    part = text[start : start + length]
    return f"{text[:start]}{_OVERRIDE}{part[::-1]}{_END_OF_OVERRIDE}{text[start + length :]}"


def _full_width(char: str, _: random.Random) -> str:
    return chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char


def _circled(char: str, _: random.Random) -> str:
    if char.isascii() and char.isalpha():
        return chr(0x24D0 + ord(char.lower()) - ord("a"))
    return chr(0x2460 + int(char) - 1) if char in "123456789" else char


def _emoji_letter(char: str, chance: random.Random) -> str:
    """Flags and negative squares for letters, keycaps for digits."""
    if char.isascii() and char.isalpha():
        return chr(chance.choice((_FLAGS, 0x1F170, 0x1F150)) + ord(char.lower()) - ord("a"))
    return char + chance.choice(("\ufe0f\u20e3", "\u20e3")) if char in "0123456789" else char


def _mathematical(char: str, chance: random.Random) -> str:
    if char.isascii() and char.isalpha():
        drawn = chr(chance.choice(_MATHEMATICAL) + 26 * char.islower() + ord(char.lower()) - ord("a"))
        return drawn if drawn.isprintable() else char  # some were in Unicode before, elsewhere
    return chr(chance.choice((0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7F6)) + int(char)) if char in "0123456789" else char


def _foreign(char: str, chance: random.Random) -> str:
    return chance.choice(_FOREIGN.get(char, char))


def _repeated(char: str, chance: random.Random) -> str:
    return char * chance.choice((2, 3))


def _traditional(char: str, _: random.Random) -> str:
    return str(_TRADITIONAL.convert(char))


@cache
def _same_sound() -> dict[str, str]:
    """The everyday characters (GB 2312 level one) of each syllable."""
    alike: dict[str, str] = defaultdict(str)
    for first in range(0xB0, 0xD8):
        for second in range(0xA1, 0xFF):
            char = bytes((first, second)).decode("gb2312", "ignore")
            alike[spell_pinyin(char)] += char
    return alike


def _homophone(char: str, chance: random.Random) -> str:
    others = _same_sound().get(spell_pinyin(char), "").replace(char, "")
    return chance.choice(others) if others and not char.isascii() else char


def _pinyin(char: str, _: random.Random) -> str:
    return spell_pinyin(char)


def _halved(char: str, _: random.Random) -> str:
    return (list_split_spellings(char) or [char])[0]


def _look_alike(char: str, chance: random.Random) -> str:
    return chance.choice(list_lookalikes(char) or [char])


DISGUISES: Final[dict[str, DisguiseTarget]] = {
    # Encoding and insertion.
    "full width": DisguiseTarget(_each(_full_width), 0.99, 0.001),
    "circled": DisguiseTarget(_each(_circled), 0.99, 0.001),
    "emoji letters": DisguiseTarget(_each(_emoji_letter), 0.99, 0.001),
    "mathematical": DisguiseTarget(_each(_mathematical), 0.99, 0.001),
    "traditional": DisguiseTarget(_each(_traditional), 0.99, 0.001),
    "zero width": DisguiseTarget(_between(_INVISIBLE), 0.99, 0.001),
    "combining": DisguiseTarget(_between(_MARKS), 0.99, 0.001),
    "directions": DisguiseTarget(_between(_DIRECTIONS), 0.99, 0.001),
    "turned around": DisguiseTarget(_overridden, 0.99, 0.001),
    "symbols": DisguiseTarget(_between(_SYMBOLS), 0.99, 0.001),
    "spaces": DisguiseTarget(_between(" \u3000"), 0.99, 0.001),
    "emoji": DisguiseTarget(_between(_EMOJI), 0.99, 0.001),
    "repeats": DisguiseTarget(_each(_repeated), 0.99, 0.001),
    # By look and by sound.
    "look-alike": DisguiseTarget(_each(_look_alike), 0.95, 0.01),
    "other alphabets": DisguiseTarget(_each(_foreign), 0.95, 0.01),
    "split": DisguiseTarget(_each(_halved), 0.95, 0.01),
    "pinyin": DisguiseTarget(_each(_pinyin), 0.95, 0.01),
    "homophone": DisguiseTarget(_each(_homophone), 0.65, 0.02),
}

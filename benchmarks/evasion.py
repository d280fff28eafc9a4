"""Measures how well disguised words are found: recall, and false positives of the same disguise on benign text."""

import random
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import opencc

from moderation.lexicon.model.matching import Lexicon
from moderation.lexicon.model.shapes import look_alikes, split_spellings
from moderation.lexicon.model.sounds import spell
from moderation.lexicon.model.words import Word
from moderation.lexicon.shipped import shipped_background, shipped_words

BENIGN = Path(__file__).with_name("benign.txt")
STRENGTHS = (0.3, 0.6, 1.0)
"""The share of characters, or of gaps between them, that a disguise touches; at least one."""
ROUNDS = 20
"""How often each benign text is disguised anew."""

Disguise = Callable[[str, float, random.Random], str]

_SYMBOLS = "*·-_.~|/#^★☆◆●"
_EMOJI = "🙂😀🌹👍🎉✨🔥😊"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_MARKS = "\u0301\u0336\u0338\u20dd\u0489"
_TRADITIONAL = opencc.OpenCC("s2t")


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


def _full_width(char: str, _: random.Random) -> str:
    return chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char


def _circled(char: str, _: random.Random) -> str:
    if char.isascii() and char.isalpha():
        return chr(0x24D0 + ord(char.lower()) - ord("a"))
    return chr(0x2460 + int(char) - 1) if char in "123456789" else char


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
            alike[spell(char)] += char
    return alike


def _homophone(char: str, chance: random.Random) -> str:
    others = _same_sound().get(spell(char), "").replace(char, "")
    return chance.choice(others) if others and not char.isascii() else char


def _pinyin(char: str, _: random.Random) -> str:
    return spell(char)


def _halved(char: str, _: random.Random) -> str:
    return (split_spellings(char) or [char])[0]


def _look_alike(char: str, chance: random.Random) -> str:
    return chance.choice(look_alikes(char) or [char])


DISGUISES: dict[str, Disguise] = {
    "full width": _each(_full_width),
    "circled": _each(_circled),
    "zero width": _between(_INVISIBLE),
    "combining": _between(_MARKS),
    "symbols": _between(_SYMBOLS),
    "spaces": _between(" \u3000"),
    "emoji": _between(_EMOJI),
    "repeats": _each(_repeated),
    "traditional": _each(_traditional),
    "homophone": _each(_homophone),
    "pinyin": _each(_pinyin),
    "split": _each(_halved),
    "look-alike": _each(_look_alike),
}


def _recall(lexicon: Lexicon, carriers: list[str], disguise: Disguise, strength: float) -> tuple[float, int]:
    """Return the share of disguised words found in a carrier, and how many words the disguise can change at all."""
    chance = random.Random(5)
    texts, places, wanted = [], [], []
    for word in lexicon.words:
        disguised = disguise(word.text, strength, chance)
        if disguised != word.text:
            before, after = chance.choice(carriers), chance.choice(carriers)
            texts.append(f"{before}，{disguised}，{after}")
            places.append((len(before) + 1, len(before) + 1 + len(disguised)))
            wanted.append(word)
    found = sum(
        any(hit.category == word.category and hit.start < end and start < hit.end for hit in hits)
        for hits, (start, end), word in zip(lexicon.scan(texts), places, wanted, strict=True)
    )
    return (found / len(texts) if texts else 1.0), len(texts)


def _false_positives(lexicon: Lexicon, benign: list[str], disguise: Disguise, strength: float) -> float:
    chance = random.Random(6)
    texts = [disguise(text, strength, chance) for text in benign for _ in range(ROUNDS)]
    return sum(map(bool, lexicon.scan(texts))) / len(texts)


def _across(lexicon: Lexicon, carriers: list[str]) -> dict[str, float | int | str]:
    """Words cut into two or three messages, and benign conversations of three messages."""
    chance = random.Random(7)
    words = [word for word in lexicon.words if len(word.text) > 1]
    windows = [_cut(word, chance) for word in words]
    found = sum(
        any(hit.category == word.category for hit in hits)
        for hits, word in zip(lexicon.scan_across(windows), words, strict=True)
    )
    talks = [chance.choices(carriers, k=3) for _ in range(len(carriers) * ROUNDS)]
    wrong = sum(map(bool, lexicon.scan_across(talks)))
    return _row("over messages", 1.0, found / len(words), len(words), wrong / len(talks))


def _cut(word: Word, chance: random.Random) -> list[str]:
    cuts = sorted(chance.sample(range(1, len(word.text)), min(chance.choice((1, 2)), len(word.text) - 1)))
    return [word.text[first:last] for first, last in zip([0, *cuts], [*cuts, None], strict=True)]


def _row(name: str, strength: float, recall: float, words: int, wrong: float) -> dict[str, float | int | str]:
    return {
        "disguise": name,
        "strength": strength,
        "words": words,
        "recall": round(recall, 4),
        "false_positives": round(wrong, 5),
    }


def run() -> dict[str, list[dict[str, float | int | str]]]:
    """Return one row per disguise and strength, over the shipped lexicon and benign texts kept out of its pruning."""
    lexicon = Lexicon(shipped_words(), fuzzy=1, background=shipped_background())
    benign = BENIGN.read_text(encoding="utf-8").splitlines()
    rows = []
    for name, disguise in DISGUISES.items():
        for strength in STRENGTHS:
            recall, words = _recall(lexicon, benign, disguise, strength)
            rows.append(_row(name, strength, recall, words, _false_positives(lexicon, benign, disguise, strength)))
    rows.append(_across(lexicon, benign))
    plain = sum(map(bool, lexicon.scan(benign))) / len(benign)
    whole = sum(map(bool, lexicon.scan([word.text for word in lexicon.words])))
    rows.append(_row("none", 0.0, whole / len(lexicon.words), len(lexicon.words), plain))
    return {"evasion": rows}


if __name__ == "__main__":
    print(f"{'disguise':<14}{'strength':>9}{'words':>7}{'recall':>9}{'false pos.':>12}")
    for row in run()["evasion"]:
        print(
            f"{row['disguise']:<14}{row['strength']:>9}{row['words']:>7}{row['recall']:>9.2%}{row['false_positives']:>12.3%}"
        )

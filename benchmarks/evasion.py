"""How well disguised words are found: recall, and false positives of the same disguise on benign texts."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cold import read_split, split_file
from benchmarks.disguises import DISGUISES, Disguise, DisguiseTarget
from benchmarks.figures import Figure, Result, at_least, at_most
from moderation.lexicon.handlers import shipped_background, shipped_words
from moderation.lexicon.matching.matcher import Lexicon
from moderation.lexicon.matching.words import Word

BENIGN = Path(__file__).with_name("benign.txt")
STRENGTHS = (0.3, 0.6, 1.0)
"""The share of characters, or of gaps between them, that a disguise touches; at least one."""

MEASUREMENT = "Evasion"
METHOD = (
    "the {words:,} words that come with moderation, each disguised at strengths {strengths} and put between two of "
    "{carriers} benign texts that moderation was not made with, and each of these texts disguised {rounds} times in "
    "the same way. The worst of the strengths is shown. Halves, look-alikes and readings are those that moderation "
    "knows: others are not found. {cold}"
)
_ON_COLD = (
    "COLD: the {comments:,} comments of its dev split that are labelled not offensive and have no word as it is spelt "
    "({spelt:.1%} of them have one: they talk about what others shout); strength {strength}, once each."
)
_COLD_STRENGTH = 0.6


@dataclass(frozen=True, slots=True)
class EvasionCorpus:
    """What words are looked for, and in what texts: those that carry them, and real ones where they are at hand."""

    lexicon: Lexicon
    benign: Sequence[str]
    rounds: int
    real: Sequence[str]


def measure(rounds: int, cold: Path, say: Callable[[str], None]) -> Result:
    """Disguise each benign text `rounds` times; also the real ones of COLD, where the folder `cold` has them."""
    lexicon = Lexicon(shipped_words(), fuzzy=1, background=shipped_background())
    benign = BENIGN.read_text(encoding="utf-8").splitlines()
    real, about = _real(lexicon, cold)
    ground = EvasionCorpus(lexicon, benign, rounds, real)
    figures, details = _undisguised(ground), {}
    for name, way in DISGUISES.items():
        found, details[name] = _tried(name, way, ground)
        figures += found
        say(name)
    figures += _across(lexicon, benign, rounds)
    strengths = ", ".join(map(str, STRENGTHS))
    method = METHOD.format(
        words=len(lexicon.words), strengths=strengths, carriers=len(benign), rounds=rounds, cold=about
    )
    return Result(MEASUREMENT, figures, method, details)


def _real(lexicon: Lexicon, cold: Path) -> tuple[list[str], str]:
    """Comments that are not offensive and have no word in them as it is spelt; and what there is to say about them."""
    if not split_file(cold, "dev").is_file():
        return [], f"There is no {split_file(cold, 'dev').name} in {cold}; --cold says where."
    texts = [comment.text for comment in read_split(cold, "dev") if not comment.offensive]
    hits = lexicon.scan_texts(texts)
    clean = [text for text, found in zip(texts, hits, strict=True) if not any(hit.match_kind.is_exact for hit in found)]
    return clean, _ON_COLD.format(comments=len(clean), spelt=1 - len(clean) / len(texts), strength=_COLD_STRENGTH)


def _undisguised(ground: EvasionCorpus) -> list[Figure]:
    words = [word.text for word in ground.lexicon.words]
    return [
        Figure("as it is: recall", 100 * _share_with_hit(ground.lexicon, words), "%", at_least(100)),
        Figure("... false positives", 100 * _share_with_hit(ground.lexicon, ground.benign), "%", at_most(0.1)),
        *_wrong_on_cold(ground, ground.real),
    ]


def _tried(name: str, way: DisguiseTarget, ground: EvasionCorpus) -> tuple[list[Figure], dict[str, Any]]:
    recalls, wrong = {}, {}
    words = 0
    for strength in STRENGTHS:
        recalls[strength], words = _recall(ground.lexicon, ground.benign, way.disguise, strength)
        texts = _disguised(ground.benign, way.disguise, strength, ground.rounds)
        wrong[strength] = _share_with_hit(ground.lexicon, texts)
    figures = [
        Figure(f"{name}: recall", 100 * min(recalls.values()), "%", at_least(100 * way.recall)),
        Figure("... false positives", 100 * max(wrong.values()), "%", at_most(100 * way.wrong)),
        *_wrong_on_cold(ground, _disguised(ground.real, way.disguise, _COLD_STRENGTH, 1)),
    ]
    return figures, {"words": words, "recall": recalls, "false_positives": wrong}


def _recall(lexicon: Lexicon, carriers: Sequence[str], disguise: Disguise, strength: float) -> tuple[float, int]:
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
        for hits, (start, end), word in zip(lexicon.scan_texts(texts), places, wanted, strict=True)
    )
    return (found / len(texts) if texts else 1.0), len(texts)


def _disguised(texts: Sequence[str], disguise: Disguise, strength: float, rounds: int) -> list[str]:
    chance = random.Random(6)
    return [disguise(text, strength, chance) for text in texts for _ in range(rounds)]


def _wrong_on_cold(ground: EvasionCorpus, texts: Sequence[str]) -> list[Figure]:
    return [Figure("... on COLD", 100 * _share_with_hit(ground.lexicon, texts), "%")] if texts else []


def _share_with_hit(lexicon: Lexicon, texts: Sequence[str]) -> float:
    return sum(map(bool, lexicon.scan_texts(texts))) / len(texts)


def _across(lexicon: Lexicon, carriers: Sequence[str], rounds: int) -> list[Figure]:
    """Words cut into two or three messages, and benign conversations of three messages."""
    chance = random.Random(7)
    words = [word for word in lexicon.words if len(word.text) > 1]
    windows = [_cut(word, chance) for word in words]
    found = sum(
        any(hit.category == word.category for hit in hits)
        for hits, word in zip(lexicon.scan_message_windows(windows), words, strict=True)
    )
    talks = [chance.choices(carriers, k=3) for _ in range(len(carriers) * rounds)]
    wrong = sum(map(bool, lexicon.scan_message_windows(talks)))
    return [
        Figure("cut over messages: recall", 100 * found / len(words), "%", at_least(95)),
        Figure("... false positives", 100 * wrong / len(talks), "%", at_most(1)),
    ]


def _cut(word: Word, chance: random.Random) -> list[str]:
    cuts = sorted(chance.sample(range(1, len(word.text)), min(chance.choice((1, 2)), len(word.text) - 1)))
    return [word.text[first:last] for first, last in zip([0, *cuts], [*cuts, None], strict=True)]

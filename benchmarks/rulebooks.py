"""Lexicons and rulebooks as large as they get: made up, the same ones for the same seed."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from huiqun.channel.directory.model import DEFAULT_TIMEZONE
from moderation.groups.model import GroupSettings
from moderation.lexicon.handlers import shipped_background, shipped_words
from moderation.lexicon.matching.matcher import EVERY_POLICY, Lexicon
from moderation.lexicon.matching.words import Word
from moderation.lexicon.model import CATEGORIES
from moderation.policies.model import DEFAULT_POLICY, PolicyVersion
from moderation.rulebook.model import PolicySnapshot, Rulebook

WORDS: Final = 60_000
POLICIES: Final = 50
GROUPS: Final = 2_000
MADE: Final = "made"
"""The list of the words that are made up."""

BITS: Final = {category: 1 << number for number, category in enumerate(CATEGORIES)}
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = "0123456789"
# Of a hundred words: so many Han words of two to six characters, ids and English words, and Han with digits or letters.
_KINDS: Final[Mapping[int | str, int]] = {2: 20, 3: 26, 4: 30, 5: 8, 6: 4, "latin": 6, "mixed": 6}
# What policies of an institution differ in; a message that is blocked under one of them is so under all.
_DIFFERENCES: Final[Sequence[Mapping[str, Any]]] = (
    {"quota": {"per_day": 200}},
    {"length": {"max_characters": 500}},
    {"flood": {"messages": 12}},
    {"quiet_hours": {"start": "03:00:00", "end": "03:10:00"}},
    {"links": {"allowed_domains": ["bank.example.com", "example.org"]}},
    {"probation": {"hours": 12, "messages": 2}},
    {"lexicon": {"categories": {"politics": "warn", "rumour": None}}},
    {"duplicate": {"times": 4}},
    {"ladder": {"half_life_hours": 72}},
    {"announcements": None},
)


def lexicon_of(count: int, seed: int = 3) -> list[Word]:
    """The words that come with moderation and, up to `count`, made-up ones as operators import them."""
    chance = random.Random(seed)
    words = list(shipped_words())
    kinds: list[int | str] = list(_KINDS)
    weights = list(_KINDS.values())
    texts: dict[str, None] = {}
    while len(words) + len(texts) < count:
        texts[_text(chance, chance.choices(kinds, weights)[0])] = None
    for index, text in enumerate(texts):
        allow = (_han(chance, 2) + text, text + _han(chance, 2)) if index % 10 == 0 else ()
        category, severity = CATEGORIES[index % len(CATEGORIES)], index % 5 + 1
        words.append(Word(f"{MADE}/{text}", text, category, severity, allow, list_name=MADE))
    return words


def compiled(words: Sequence[Word]) -> Lexicon:
    """The lexicon as the keeper of a service's process compiles it: every reading, pruned."""
    return Lexicon(words, masks_of(words), fuzzy=EVERY_POLICY, background=shipped_background())


def masks_of(words: Sequence[Word]) -> list[int]:
    """The bit of each word's category."""
    return [BITS[word.category] for word in words]


def rulebook_of(words: Sequence[Word], groups: int = 300) -> Rulebook:
    """The lexicon, and groups that are all under the built-in policy."""
    zone = ZoneInfo(DEFAULT_TIMEZONE)
    settings = {f"g{number:03d}": GroupSettings(timezone=zone) for number in range(groups)}
    return Rulebook(PolicySnapshot({}, settings), compiled(words), "bench", BITS)


def institution_of(words: Sequence[Word], group_ids: Sequence[str]) -> Rulebook:
    """The lexicon, and groups spread over policies that all differ from each other."""
    zone = ZoneInfo(DEFAULT_TIMEZONE)
    written = {name: PolicyVersion(name, 1, changes) for name, changes in policies_of(POLICIES).items()}
    names = list(written)
    settings = {
        group_id: GroupSettings(policy_id=names[number % POLICIES], timezone=zone)
        for number, group_id in enumerate(group_ids)
    }
    return Rulebook(PolicySnapshot.compose(written, settings), compiled(words), "bench", BITS)


def policies_of(count: int) -> dict[str, Mapping[str, Any]]:
    """The default, and policies that all differ from it and from each other."""
    policies: dict[str, Mapping[str, Any]] = {DEFAULT_POLICY: {}}
    for number in range(1, count):
        first, second = number % len(_DIFFERENCES), number * 3 % len(_DIFFERENCES)
        own = {"staff": {"categories": {f"own-{number}": "warn"}}}
        policies[f"p{number}"] = {**_DIFFERENCES[first], **_DIFFERENCES[second], **own}
    return policies


def _text(chance: random.Random, kind: int | str) -> str:
    if isinstance(kind, int):
        return _han(chance, kind)
    if kind == "latin":
        letters = "".join(chance.choices(_LETTERS, k=chance.randint(4, 9)))
        return letters + "".join(chance.choices(_DIGITS, k=chance.choice((0, 0, 2, 3))))
    odd = "".join(chance.choices(_LETTERS + _DIGITS, k=chance.randint(1, 3)))
    return _han(chance, 2) + odd if chance.random() < 0.5 else odd + _han(chance, 2)


def _han(chance: random.Random, length: int) -> str:
    """Everyday characters: those of GB 2312 level one."""
    return "".join(
        bytes((chance.randrange(0xB0, 0xD7), chance.randrange(0xA1, 0xFE))).decode("gb2312") for _ in range(length)
    )

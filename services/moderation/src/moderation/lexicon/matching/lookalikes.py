"""Normalizes what looks alike: emoji, symbols and characters that stand for others, characters taken apart, repeats."""

from itertools import combinations
from typing import Final

from moderation.lexicon.matching.folding import STRIPPED, Table, strip_text
from moderation.lexicon.matching.lookalike_tables import ALIKE, HALVES, MEANT
from moderation.lexicon.matching.text_batch import CodePointTable, NormalizedText, TextBatch, collapse_repeats

_ALIKE: Final = ALIKE.split()
_MEANT: Final = dict(pair.split("=") for pair in MEANT.split())
_HALVES: Final = dict(pair.split("=") for pair in HALVES.split())
_HALVED: Final = frozenset(_HALVES)
# All ways of taking apart up to this many characters of a word are patterns; of a longer word, each alone and all at
# once.
_FREELY_SPLIT: Final = 3


def build_lookalike_table() -> Table:
    """Return the table that makes look-alikes equal, from the original text."""
    table = STRIPPED.copy()
    for group in _ALIKE:
        for char in group[1:]:
            table[ord(char)] = ord(strip_text(group[0]))
    for meaning, signs in _MEANT.items():
        for sign in signs:
            table[ord(sign)] = meaning if len(meaning) > 1 else ord(meaning)
    # What folds to a member of a group is read as the group as well: the full-width 8 as the plain one.
    for code, target in enumerate(STRIPPED):
        if isinstance(target, int) and code != target == table[code]:
            table[code] = table[target]
    return table


_LOOKALIKES: Final = CodePointTable(build_lookalike_table())


def normalize_lookalikes(batch: TextBatch) -> NormalizedText:
    """Return how the texts look: with look-alikes made equal, signs read as words, and each run of a character as
    one."""
    return collapse_repeats(*_LOOKALIKES.translate(batch.codes))


def list_split_spellings(stripped: str) -> list[str]:
    """Return the spellings of a word with one or more of its characters written as two."""
    if _HALVED.isdisjoint(stripped):
        return []
    places = [at for at, char in enumerate(stripped) if char in _HALVES]
    if len(places) <= _FREELY_SPLIT:
        chosen = [set(some) for size in range(1, len(places) + 1) for some in combinations(places, size)]
    else:
        chosen = [{place} for place in places] + [set(places)]
    return ["".join(_HALVES[char] if at in some else char for at, char in enumerate(stripped)) for some in chosen]


def list_lookalikes(char: str) -> list[str]:
    """Return the characters and signs that are read as `char`."""
    groups = [group for group in _ALIKE if char in group]
    return [other for group in groups for other in group if other != char] + list(_MEANT.get(char, ""))

"""Normalizes what looks alike: emoji, symbols and characters that stand for others, characters taken apart, repeats."""

from itertools import combinations
from typing import Final

from moderation.lexicon.matching.folding import STRIPPED, strip_text
from moderation.lexicon.matching.lookalike_tables import ALIKE, HALVES, MEANT
from moderation.lexicon.matching.text_batch import STRIPPING, NormalizedText, TextBatch, collapse_repeats

_ALIKE: Final = ALIKE.split()
_MEANT: Final = dict(pair.split("=") for pair in MEANT.split())
_HALVES: Final = dict(pair.split("=") for pair in HALVES.split())
_HALVED: Final = frozenset(_HALVES)
# All ways of taking apart up to this many characters of a word are patterns; of a longer word, each alone and all at
# once.
_FREELY_SPLIT: Final = 3


def map_lookalikes() -> dict[int, int | str]:
    """Return by code point what is put there to make look-alikes equal, where that is not the stripped text."""
    changes: dict[int, int | str] = {}
    for group in _ALIKE:
        changes |= dict.fromkeys(map(ord, group[1:]), ord(strip_text(group[0])))
    for meaning, signs in _MEANT.items():
        changes |= dict.fromkeys(map(ord, signs), meaning if len(meaning) > 1 else ord(meaning))
    # What folds to a member of a group is read as the group as well: the full-width 8 as the plain one.
    folded = [(code, target) for code, target in enumerate(STRIPPED) if target in changes and code != target]
    changes |= {code: changes[target] for code, target in folded if changes.get(code, target) == target}
    return changes


_LOOKALIKES: Final = STRIPPING.with_changes(map_lookalikes())


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

"""Folds a text to one spelling: width, case, script variants, marks; and strips what is put between characters."""

import re
from collections.abc import Sequence
from typing import Final

from moderation.lexicon.matching.folding_tables import (
    SEPARATOR,
    UNKNOWN,
    Table,
    make_folding_tables,
)

INVISIBLE: Final = "\u200b"
"""Of the characters that are shown as nothing, the one that stands for those beyond the tables."""

# Above the tables: tags and variation selectors, which nobody sees, and what is no text at all. And the separator.
_BEYOND_TABLES: Final = re.compile("[\U00032400-\U0010ffff]")
_UNMAPPED: Final = re.compile("[\0\U00032400-\U0010ffff]")
_UNMAPPED_INVISIBLE: Final = range(0xE0000, 0xE0200)
FOLDED, STRIPPED = make_folding_tables()


def fold_text(text: str) -> str:
    """Return `text` in the folded spelling; symbols and spaces stay. Folding twice changes nothing."""
    return replace_unmapped(text).translate(FOLDED)


def strip_text(text: str) -> str:
    """Return `text` folded and without anything but letters, Han characters and digits."""
    return replace_unmapped(text).translate(STRIPPED)


def replace_unmapped(text: str) -> str:
    """Replace, one for one, the separator and the code points that the tables do not reach."""
    return _UNMAPPED.sub(_replacement, text)


def _replacement(wild: re.Match[str]) -> str:
    if wild[0] == SEPARATOR:
        return " "
    return INVISIBLE if ord(wild[0]) in _UNMAPPED_INVISIBLE else chr(UNKNOWN)


def join_texts(texts: Sequence[str]) -> str:
    """Join a batch so that one call of `str.translate` and one of the automaton serve all of it."""
    joined = SEPARATOR.join(texts)
    if joined.count(SEPARATOR) == len(texts) - 1 and _BEYOND_TABLES.search(joined) is None:
        return joined
    return SEPARATOR.join(map(replace_unmapped, texts))


def list_offsets(text: str, table: Table) -> list[int]:
    """Return for each character that `table` makes of `text` the offset of the character it came from.

    `text` must have no unmapped code points."""
    origins: list[int] = []
    for at, char in enumerate(text):
        target = table[ord(char)]
        if isinstance(target, int):
            origins.append(at)
        elif target is not None:
            origins.extend([at] * len(target))
    return origins

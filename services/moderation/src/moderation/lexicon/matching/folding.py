"""Folds a text to one spelling: width, case, script variants, marks; and strips what is put between characters."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import opencc

from moderation.lexicon.matching.lookalike_tables import HOMOGLYPHS

# Each table is indexed by code point, as `str.translate` wants it: an int or a str to put there, None to drop. A list
# is a third faster than a dict here. It ends where the written characters end: the rest would take 7 MB in each.
Table = list[int | str | None]
TABLE_SIZE: Final = 0x32400

SEPARATOR: Final = "\0"
"""Stands between the texts of a batch, and survives every table."""

INVISIBLE: Final = "\u200b"
"""Of the characters that are shown as nothing, the one that stands for those beyond the tables."""

_UNKNOWN: Final = 0xFFFD
# Above the tables: tags and variation selectors, which nobody sees, and what is no text at all. And the separator.
_BEYOND_TABLES: Final = re.compile("[\U00032400-\U0010ffff]")
_UNMAPPED: Final = re.compile("[\0\U00032400-\U0010ffff]")
_UNMAPPED_INVISIBLE: Final = range(0xE0000, 0xE0200)
# Letters that only look like something else and have no decomposition in Unicode; their name says what they are.
_NAMED_LETTER = re.compile(
    r"(?:NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|REGIONAL INDICATOR SYMBOL LETTER"
    r"|LATIN LETTER SMALL CAPITAL) ([A-Z])"
    r"|LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH .*"
)
_DISGUISING: Final = frozenset({"Ll", "Lu", "So", "No"})
# Shown as nothing, although Unicode calls them letters or symbols.
_BLANKS: Final = frozenset({0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})
# Cf, Mn and Me are dropped: zero-width and bidirectional controls, combining and enclosing marks, variation selectors.
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me"})
_SPACES: Final = frozenset({"Cc", "Zs", "Zl", "Zp"})
_NOT_TEXT: Final = frozenset({"Cn", "Co", "Cs"})


def _assigned() -> tuple[list[int], list[int], list[int]]:
    """Sort the code points into visible characters, invisible ones and spaces; the rest is no text."""
    visible, invisible, spaces = [], [], []
    for code in range(TABLE_SIZE):
        category = unicodedata.category(chr(code))
        if category in _INVISIBLE or code in _BLANKS:
            invisible.append(code)
        elif category in _SPACES:
            spaces.append(code)
        elif category not in _NOT_TEXT:
            visible.append(code)
    return visible, invisible, spaces


def _named(char: str) -> str:
    """Undo the disguises that the normal forms leave alone: negative circles, flags, small capitals, strokes."""
    if char.isascii() or unicodedata.category(char) not in _DISGUISING:
        return char
    match = _NAMED_LETTER.fullmatch(unicodedata.name(char, ""))
    if match is not None:
        return str(match[1] or match[2])
    if unicodedata.category(char) == "No":
        value = unicodedata.numeric(char)
        return str(int(value)) if value.is_integer() else char
    return char


def _fold_lines(lines: str, rules: dict[int, str | None]) -> str:
    """Fold many characters at once, one to a line, until nothing changes any more."""
    simplify = opencc.OpenCC("t2s")
    while True:
        plain = unicodedata.normalize("NFKD", lines).translate(rules)
        folded: str = simplify.convert(unicodedata.normalize("NFC", plain).casefold())
        if folded == lines:
            return folded
        lines = folded


def _fold_table() -> Table:
    visible, invisible, spaces = _assigned()
    rules: dict[int, str | None] = dict.fromkeys(invisible)
    rules.update((ord(sign), pair[0]) for pair in HOMOGLYPHS.split() for sign in pair[2:])
    rules.update((code, name) for code in visible if (name := _named(chr(code))) != chr(code))
    folded = _fold_lines("\n".join(map(chr, visible)), rules).split("\n")
    table: Table = [_UNKNOWN] * TABLE_SIZE
    for code, text in zip(visible, folded, strict=True):
        # The target of a single character keeps its own int: no second object for the many that fold to themselves.
        table[code] = (code if text == chr(code) else ord(text)) if len(text) == 1 else (text or None)
    for code in invisible:
        table[code] = None
    for code in spaces:
        table[code] = 0x20
    table[ord(SEPARATOR)] = ord(SEPARATOR)
    return table


def _significant(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _strip_table(folding: Table) -> Table:
    """Derive the table that goes from the original straight to the stripped text: one pass instead of two."""
    table: Table = [None] * TABLE_SIZE
    for code, target in enumerate(folding):
        if isinstance(target, str):
            table[code] = _significant(target) or None
        elif target is not None and target != _UNKNOWN and chr(target).isalnum():
            table[code] = target
    table[ord(SEPARATOR)] = ord(SEPARATOR)
    return table


FOLDED: Final = _fold_table()
STRIPPED: Final = _strip_table(FOLDED)


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
    return INVISIBLE if ord(wild[0]) in _UNMAPPED_INVISIBLE else chr(_UNKNOWN)


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

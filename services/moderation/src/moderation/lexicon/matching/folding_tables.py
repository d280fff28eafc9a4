"""The tables that fold and strip, made at import from what Unicode and OpenCC know of each code point.

Nine in twenty code points are ideographs, of which only simplifying makes anything else: they are taken by the block.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import opencc

from moderation.lexicon.matching.lookalike_tables import HOMOGLYPHS

# Each table is indexed by code point, as `str.translate` wants it: an int or a str to put there, None to drop. A list
# is a third faster than a dict here. It ends where the written characters end: the rest would take 7 MB in each.
Table = list[int | str | None]
TABLE_SIZE: Final = 0x32400

SEPARATOR: Final = "\0"
"""Stands between the texts of a batch, and survives every table."""

UNKNOWN: Final = 0xFFFD
"""What stands for a code point that is no text."""

# Letters that only look like something else and have no decomposition in Unicode; their name says what they are.
_NAMED_LETTER: Final = re.compile(
    r"(?:NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|REGIONAL INDICATOR SYMBOL LETTER"
    r"|LATIN LETTER SMALL CAPITAL) ([A-Z])"
    r"|LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH .*"
)
_DISGUISING: Final = ("Ll", "Lu", "So", "No")
# Shown as nothing, although Unicode calls them letters or symbols.
_BLANKS: Final = frozenset({0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})
# Cf, Mn and Me are dropped: zero-width and bidirectional controls, combining and enclosing marks, variation selectors.
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me"})
_SPACES: Final = frozenset({"Cc", "Zs", "Zl", "Zp"})
_NOT_TEXT: Final = frozenset({"Cn", "Co", "Cs"})
_IDEOGRAPHS: Final = (range(0x3400, 0xA000), range(0x20000, TABLE_SIZE))
_BLOCK: Final = 0x100


def _split_ideographs() -> tuple[str, list[int]]:
    """Return the ideographs, as far as whole blocks are nothing else, and all other code points."""
    ideographs, others = [], list[int]()
    for start in range(0, TABLE_SIZE, _BLOCK):
        codes = range(start, start + _BLOCK)
        block = "".join(map(chr, codes)) if any(start in some for some in _IDEOGRAPHS) else ""
        if block.isalpha() and unicodedata.is_normalized("NFKD", block):
            ideographs.append(block)
        else:
            others += codes
    return "".join(ideographs), others


def _undo_disguise(char: str, category: str) -> str:
    """Undo the disguises that the normal forms leave alone: negative circles, flags, small capitals, strokes."""
    match = _NAMED_LETTER.fullmatch(unicodedata.name(char, ""))
    if match is not None:
        return str(match[1] or match[2])
    if category == "No":
        value = unicodedata.numeric(char)
        return str(int(value)) if value.is_integer() else char
    return char


def _list_disguises(by_category: dict[str, list[int]]) -> Iterator[tuple[int, str]]:
    for category in _DISGUISING:
        for code in by_category[category]:
            char = chr(code)
            if not char.isascii() and code not in _BLANKS and (plain := _undo_disguise(char, category)) != char:
                yield code, plain


def _fold_repeatedly(
    texts: dict[int, str], rules: dict[int, str | None], simplify: Callable[[str], str]
) -> dict[int, str]:
    """Fold what stands for each code point until nothing changes any more; return what has changed."""
    changed: dict[int, str] = {}
    while texts:
        # Many at once, one to a line.
        plain = unicodedata.normalize("NFKD", "\n".join(texts.values())).translate(rules)
        folded = simplify(unicodedata.normalize("NFC", plain).casefold()).split("\n")
        texts = {code: now for (code, was), now in zip(texts.items(), folded, strict=True) if now != was}
        changed |= texts
    return changed


def make_folding_tables() -> tuple[Table, Table]:
    """Return the table that folds, and the one that goes from the original straight to the stripped text."""
    ideographs, others = _split_ideographs()
    by_category: dict[str, list[int]] = {}
    for code in others:
        by_category.setdefault(unicodedata.category(chr(code)), []).append(code)
    invisible = {code for category in _INVISIBLE for code in by_category[category]} | _BLANKS
    rules: dict[int, str | None] = dict.fromkeys(invisible)
    rules.update((ord(sign), pair[0]) for pair in HOMOGLYPHS.split() for sign in pair[2:])
    rules.update(_list_disguises(by_category))
    visible = [
        code
        for category, codes in by_category.items()
        if category not in _INVISIBLE | _SPACES | _NOT_TEXT
        for code in codes
    ]
    simplify: Callable[[str], str] = opencc.OpenCC("t2s").convert
    simplified = simplify("\n".join(ideographs)).split("\n")
    texts = {ord(was): now for was, now in zip(ideographs, simplified, strict=True) if now != was}
    texts |= _fold_repeatedly({code: chr(code) for code in visible if code not in _BLANKS} | texts, rules, simplify)

    folded: Table = list(range(TABLE_SIZE))
    for code, text in texts.items():
        folded[code] = ord(text) if len(text) == 1 else (text or None)
    _put(folded, invisible, None)
    _put(folded, (code for category in _SPACES for code in by_category[category]), 0x20)
    _put(folded, (code for category in _NOT_TEXT for code in by_category[category]), UNKNOWN)
    folded[ord(SEPARATOR)] = ord(SEPARATOR)
    return folded, _strip_table(folded, others)


def _put(table: Table, codes: Iterable[int], target: int | None) -> None:
    for code in codes:
        table[code] = target


def _strip_table(folded: Table, others: Iterable[int]) -> Table:
    """Derive the table that keeps nothing but letters, Han characters and digits; ideographs fold to ideographs."""
    table = folded.copy()
    for code in others:
        target = folded[code]
        if isinstance(target, str):
            table[code] = "".join([char for char in target if char.isalnum()]) or None
        elif target == UNKNOWN or target is None or not chr(target).isalnum():
            table[code] = None
    table[ord(SEPARATOR)] = ord(SEPARATOR)
    return table

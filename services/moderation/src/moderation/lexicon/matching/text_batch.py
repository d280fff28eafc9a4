"""Whole batches as arrays of code points: a table changes all texts at once, and the way back is found on demand."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from moderation.lexicon.matching.folding import STRIPPED, replace_unmapped
from moderation.lexicon.matching.folding_tables import SEPARATOR, TABLE_SIZE, Table

CodePoints = NDArray[np.uint32]
Offsets = NDArray[np.intp]
Origins = tuple[Offsets, Offsets]
TextSpan = tuple[int, int]

_SEPARATOR: Final = ord(SEPARATOR)
# What a table may say besides a code point: nothing at all, or more than one character.
_NOTHING: Final = 0x110000
_MORE: Final = _NOTHING + 1


def encode_code_points(text: str) -> CodePoints:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def find_separators(codes: CodePoints) -> list[int]:
    """Where one text ends and the next begins."""
    places: list[int] = (codes == _SEPARATOR).nonzero()[0].tolist()
    return places


class NormalizedText:
    """A joined batch in one normal form.

    `codes` are its characters and `text` is the same as a text; `origins` tells, for each of them, where what it was
    made of begins and ends in the batch, and is asked only where something is found. `typed` are the places of those
    that stand for more than one Latin letter.
    """

    __slots__ = ("_known", "_separators", "codes", "origins", "text", "typed")

    def __init__(self, codes: CodePoints, origins: Callable[[], Origins], typed: Sequence[int] = ()) -> None:
        self.codes = codes
        self.text = codes.tobytes().decode("utf-32-le")
        self.origins = origins
        self.typed = typed
        self._known: Origins | None = None
        self._separators: list[int] | None = None

    def text_at(self, at: int) -> int:
        """The index of the text in which a character stands."""
        if self._separators is None:
            self._separators = find_separators(self.codes)
        return bisect_right(self._separators, at)

    def is_typed(self, start: int, end: int) -> bool:
        """Whether any of the characters from `start` to `end` is typed in Latin letters."""
        return bisect_left(self.typed, start) < bisect_left(self.typed, end)

    def spans(self, start: int, end: int) -> tuple[TextSpan, ...]:
        """Where the characters from `start` to `end` stand in the joined batch."""
        if self._known is None:
            self._known = self.origins()
        starts, ends = self._known
        return tuple(zip(starts[start:end].tolist(), ends[start:end].tolist(), strict=True))


class CodePointTable:
    """A table of `str.translate` for arrays of code points, which takes a tenth of the time for a batch."""

    def __init__(self, targets: CodePoints, expansions: Mapping[int, CodePoints]) -> None:
        """`targets` are by code point what to put there, `_NOTHING`, or `_MORE`, for which see `expansions`."""
        self._targets = targets
        self._expansions = expansions

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Return the same table for arrays."""
        plain = [target if isinstance(target, int) else _NOTHING if target is None else _MORE for target in table]
        expansions = {code: encode_code_points(target) for code, target in enumerate(table) if isinstance(target, str)}
        return cls(np.array(plain, np.uint32), expansions)

    @classmethod
    def identity(cls) -> Self:
        """Return the table that changes nothing."""
        return cls(np.arange(TABLE_SIZE, dtype=np.uint32), {})

    def with_changes(self, changes: Mapping[int, int | str]) -> Self:
        """Return a table that is like this one but for some code points."""
        targets = self._targets.copy()
        targets[list(changes)] = [target if isinstance(target, int) else _MORE for target in changes.values()]
        kept = {code: target for code, target in self._expansions.items() if code not in changes}
        added = {code: encode_code_points(target) for code, target in changes.items() if isinstance(target, str)}
        return type(self)(targets, kept | added)

    def replace(self, codes: CodePoints) -> CodePoints:
        """Replace each code point of a text, all of them mapped, by one other; the table must know nothing else."""
        return self._targets[codes]

    def translate(self, codes: CodePoints) -> tuple[CodePoints, Callable[[], Origins]]:
        """Look up each code point of a text, all of them mapped; return what is made of them, and the way back."""
        found = self._targets[codes]
        if np.maximum.reduce(found, initial=0) == _MORE:
            return self._translate_expanding(codes, found)
        kept = found < _NOTHING
        return found[kept], lambda: _single_origins(kept.nonzero()[0])

    def _translate_expanding(self, codes: CodePoints, found: CodePoints) -> tuple[CodePoints, Callable[[], Origins]]:
        nothing = found[:0]
        made = [
            self._expansions[code] if target == _MORE else nothing if target == _NOTHING else found[at : at + 1]
            for at, (code, target) in enumerate(zip(codes.tolist(), found.tolist(), strict=True))
        ]
        lengths = [len(part) for part in made]
        return np.concatenate(made), lambda: _single_origins(np.repeat(np.arange(len(codes)), lengths))


STRIPPING: Final = CodePointTable.from_table(STRIPPED)


class TextBatch:
    """Texts that are read together, joined so that one pass of an automaton serves all of them."""

    __slots__ = ("_known", "_starts", "codes", "joined", "stripped")

    def __init__(self, texts: Sequence[str]) -> None:
        """Join the texts; separators within a text, and what no table reaches, are replaced one for one."""
        self.joined = SEPARATOR.join(texts)
        self.codes = encode_code_points(self.joined)
        if self.joined.count(SEPARATOR) != len(texts) - 1 or np.maximum.reduce(self.codes, initial=0) >= TABLE_SIZE:
            self.joined = SEPARATOR.join(map(replace_unmapped, texts))
            self.codes = encode_code_points(self.joined)
        self.stripped = NormalizedText(*STRIPPING.translate(self.codes))
        self._starts: list[int] | None = None
        self._known: dict[Callable[[TextBatch], NormalizedText], NormalizedText] = {}

    def normalize(self, normalizer: "Callable[[TextBatch], NormalizedText]") -> NormalizedText:
        """Return the batch as the normalizer makes it, which is done once for all who ask."""
        known = self._known.get(normalizer)
        if known is None:
            known = self._known[normalizer] = normalizer(self)
        return known

    def start_of(self, index: int) -> int:
        """Where a text begins in the joined one."""
        if self._starts is None:
            self._starts = [0, *(at + 1 for at in find_separators(self.codes))]
        return self._starts[index]


def collapse_repeats(codes: CodePoints, origins: Callable[[], Origins]) -> NormalizedText:
    """Read each run of one character as a single one; separators stay, since texts may be empty."""
    first = np.ones(len(codes), np.bool_)
    np.not_equal(codes[1:], codes[:-1], out=first[1:])
    first |= codes == _SEPARATOR

    def of_runs() -> Origins:
        starts, ends = origins()
        return starts[first], ends[np.roll(first, -1)]  # a run ends where the next one begins

    return NormalizedText(codes[first], of_runs)


def _single_origins(starts: Offsets) -> Origins:
    return starts, starts + 1
